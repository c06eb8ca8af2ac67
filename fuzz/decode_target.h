// What fuzzers of decoders share: the component under test gets a file of any bytes.
#pragma once

#include <json/json.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::fuzz {

// The options' defaults, which the host would fill in from the manifest.
inline Json::Value defaults(const char* plugin) {
  std::ifstream file(std::string(PATCHBAY_MANIFESTS "/") + plugin + ".json");
  Json::Value manifest, out(Json::objectValue);
  file >> manifest;
  for (const auto& component : manifest["components"]) {
    if (component["name"] != "decode") continue;
    const Json::Value& options = component["config"]["properties"];
    for (const auto& name : options.getMemberNames()) {
      if (options[name].isMember("default")) out[name] = options[name]["default"];
    }
  }
  return out;
}

// The file in chunks of `chunk` bytes, as its source may cut it.
inline std::vector<Batch> file_chunks(const SchemaPtr& schema, std::string_view data,
                                      size_t chunk) {
  std::vector<Batch> out;
  size_t at = 0;
  do {
    const size_t size = std::min(chunk, data.size() - at);
    ObjectBuilder batch(schema);
    const bool last = at + size == data.size();
    batch.append({"file", {}, {}, {}, static_cast<int64_t>(at), data.substr(at, size), last});
    out.push_back(batch.finish());
    at += size;
  } while (at < data.size());
  return out;
}

// Decodes it. The driver checks what comes out; a file may be refused, but neither crash the plugin
// nor find a bug in it.
inline void decode(const Json::Value& config, std::string_view data, size_t chunk) {
  test::FakeHost host;
  const bay_plugin* plugin = patchbay_plugin_v1(test::FakeHost::table());
  test::TransformDriver decoder(host, *plugin, "decode", config);
  const auto schema = std::make_shared<const Schema>(object_schema("files"));
  try {
    test::rows_as_json(decoder.run(schema, file_chunks(schema, data, chunk)));
  } catch (const Error& error) {
    if (error.code() != Code::kInternal) return;
    std::cerr << "internal error: " << error.what() << '\n';
    std::abort();
  }
}

}  // namespace patchbay::fuzz
