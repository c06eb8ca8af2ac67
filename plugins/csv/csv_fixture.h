// Files through csv.decode and csv.encode.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "patchbay/json_value.h"
#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {

using Rows = std::vector<std::string>;

inline Json::Value json(const std::string& text) { return parse_json(text); }

inline Json::Value with(Json::Value config, const std::string& more) {
  const Json::Value members = json(more);
  for (const auto& name : members.getMemberNames()) config[name] = members[name];
  return config;
}

class Csv : public testing::Test {
 protected:
  static Json::Value decode_config(const std::string& more = "{}") {
    return with(json(R"({"quote": "\"", "escape": "", "header": true, "null": "",
                         "encoding": "utf-8", "guess": true, "skip_lines": 0,
                         "max_row_bytes": 16777216, "threads": 1})"),
                more);
  }
  static Json::Value encode_config(const std::string& more = "{}") {
    return with(json(R"({"delimiter": ",", "quote": "\"", "escape": "", "header": true, "null": "",
                         "newline": "lf", "key": "{stream}.csv", "part_rows": 0, "part_bytes": 0})"),
                more);
  }

  // One stream of files a.csv, b.csv .., each cut into pieces.
  std::vector<Batch> decode(const std::vector<std::string>& files, const std::string& config = "{}",
                            size_t piece = 1 << 20) {
    const auto schema = std::make_shared<const Schema>(object_schema("s"));
    std::vector<Batch> in;
    char name = 'a';
    for (const auto& text : files) {
      ObjectBuilder builder(schema);
      const std::string key = std::string(1, name++) + ".csv";
      size_t at = 0;
      do {
        const size_t n = std::min(piece, text.size() - at);
        builder.append({key,
                        {},
                        {},
                        {},
                        static_cast<int64_t>(at),
                        std::string_view(text).substr(at, n),
                        at + n == text.size()});
        at += n;
      } while (at < text.size());
      in.push_back(builder.finish());
    }
    TransformDriver transform(host_, *patchbay_plugin_v1(FakeHost::table()), "decode",
                              decode_config(config));
    return transform.run(schema, std::move(in));
  }
  Rows rows(const std::string& text, const std::string& config = "{}", size_t piece = 1 << 20) {
    return rows_as_json(decode({text}, config, piece));
  }
  std::string types(const std::string& text, const std::string& config = "{}") {
    std::string out;
    for (const auto& batch : decode({text}, config)) {
      out.clear();
      for (const auto& field : batch.schema()->fields)
        out += (out.empty() ? "" : " ") + field.name + ":" + type_name(field.type);
    }
    return out;
  }
  std::string failure(const std::string& text, const std::string& config = "{}") {
    try {
      decode({text}, config, 100);
    } catch (const Error& error) {
      return error.what();
    }
    return "no failure";
  }
  Rows refusals() const {
    Rows out;
    for (const auto& one : host_.rejects)
      out.push_back(one.why.code + " " + one.why.position_json + " " + one.why.reason);
    return out;
  }
  std::string encode(std::vector<Batch> batches, const std::string& config = "{}") {
    const SchemaPtr schema = batches.at(0).schema();
    TransformDriver transform(host_, *patchbay_plugin_v1(FakeHost::table()), "encode",
                              encode_config(config));
    std::string out;
    for (const auto& batch : transform.run(schema, std::move(batches))) {
      const ObjectView view(batch);
      for (int64_t row = 0; row < view.rows(); ++row) out += view[row].data;
    }
    return out;
  }

  FakeHost host_;
};

}  // namespace patchbay::test
