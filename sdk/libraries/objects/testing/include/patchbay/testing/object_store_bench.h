// What the tests of a store of objects work with; see object_source_suite.h,
// object_action_suite.h and object_sink_suite.h.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"

namespace patchbay::test {

// A `Store` of the tests is a fresh, empty store and the plugin that reads and writes it:
//
//   const bay_plugin& plugin();
//   std::string component;                                      // source and sink have one name
//   Json::Value config(const std::string& path);                // and what else reaches the store
//   std::string uri(const std::string& name);                   // as messages and claims have it
//   void put(const std::string& name, const std::string& text); // a new version, each time
//   std::string get(const std::string& name);
//   std::vector<std::string> names();                           // visible objects, sorted
//   size_t leftovers();                                         // objects that are not visible
//   std::string secret();                                       // optional: of its credentials
template <class Store>
class ObjectStoreBench : public testing::Test {
 protected:
  ObjectStoreBench() {
    if constexpr (requires { store.secret(); }) host.any_secret = store.secret();
  }

  // Options beyond path, as JSON: {"select": "new"}.
  SourceDriver source(const std::string& path, const std::string& more = "{}") {
    return SourceDriver(host, store.plugin(), store.component,
                        options({{"select", "all"}, {"order", "name"}}, path, more));
  }
  SinkDriver sink(const std::string& path, const std::string& more = "{}") {
    return SinkDriver(host, store.plugin(), store.component,
                      options({{"if_exists", "replace"}}, path, more));
  }

  // Keys and texts as a stream of objects, each text in two chunks.
  static std::vector<Batch> objects(
      const std::vector<std::pair<std::string, std::string>>& keys_and_texts) {
    ObjectBuilder batch(std::make_shared<const Schema>(schema()));
    for (const auto& [key, text] : keys_and_texts) {
      const std::string_view all = text;
      const auto half = static_cast<int64_t>(all.size() / 2);
      batch.append({key, {}, {}, {}, 0, all.substr(0, all.size() / 2), false});
      batch.append({key, {}, {}, {}, half, all.substr(all.size() / 2), true});
    }
    std::vector<Batch> out;
    out.push_back(batch.finish());
    return out;
  }
  static Schema schema(const std::string& stream = "s") { return object_schema(stream); }

  static std::string text_of(const std::vector<Batch>& batches) {
    std::string text;
    for (const auto& batch : batches) {
      const ObjectView view(batch);
      for (int64_t row = 0; row < view.rows(); ++row) text += view[row].data;
    }
    return text;
  }
  std::string read(const std::string& path) {
    SourceDriver reading = source(path);
    return text_of(reading.read_all());
  }
  // The last parts of the splits' keys.
  static std::vector<std::string> keys(const std::vector<Json::Value>& splits) {
    std::vector<std::string> out;
    for (const auto& split : splits) {
      const std::string key = split["key"].asString();
      out.push_back(key.substr(key.rfind('/') + 1));
    }
    return out;
  }

  FakeHost host;
  Store store;

 private:
  Json::Value options(const std::vector<std::pair<std::string, std::string>>& defaults,
                      const std::string& path, const std::string& more) {
    Json::Value config = store.config(path);
    for (const auto& [name, value] : defaults) config[name] = value;
    const Json::Value given = Config::parse(more).root();
    for (const auto& name : given.getMemberNames()) config[name] = given[name];
    return config;
  }
};

}  // namespace patchbay::test
