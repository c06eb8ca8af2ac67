// A database in a folder of its own, with drivers for the source and the sink.
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/json_value.h"
#include "patchbay/sqlite.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"
#include "patchbay/text_value.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {

using test::SinkDriver;
using test::SourceDriver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct SqliteTest : testing::Test {
  SqliteTest() {
    char name[] = "/tmp/patchbay-sqlite-XXXXXX";
    folder = mkdtemp(name);
    path = folder / "t.db";
  }
  ~SqliteTest() override { std::filesystem::remove_all(folder); }

  Json::Value config(const std::string& more) const {
    Json::Value out = parse_json(more);
    out["path"] = path.string();
    return out;
  }
  SinkDriver& sink(const std::string& more = R"({"write":"append","create":true})") {
    sink_ = std::make_unique<SinkDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                         "sqlite", config(more));
    return *sink_;
  }
  SourceDriver& source(const std::string& more = "{}") {
    source_ = std::make_unique<SourceDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                             "sqlite", config(more));
    return *source_;
  }
  void execute(const std::string& sql) { Database(path, OpenMode::kCreate).execute(sql); }
  // All rows of a query, columns joined by |.
  std::vector<std::string> rows(const std::string& sql) {
    Database database(path, OpenMode::kExisting);
    std::vector<std::string> out;
    auto query = database.compile(sql);
    while (query.step()) {
      std::string row;
      for (int i = 0; i < query.columns(); ++i)
        row += (i ? "|" : "") + (query.is_null(i) ? "null" : query.text(i));
      out.push_back(row);
    }
    return out;
  }
  std::vector<std::string> stages() {
    return rows("SELECT name FROM sqlite_master WHERE name LIKE '!_patchbay!_t%' ESCAPE '!'");
  }

  test::FakeHost host;
  std::filesystem::path folder, path;
  std::unique_ptr<SinkDriver> sink_;
  std::unique_ptr<SourceDriver> source_;
};

inline const Schema kPeople{
    "people", {{"id", scalar(TypeId::kInt64), true}, {"name", scalar(TypeId::kUtf8), true}}, {}};

inline std::vector<Batch> people(const std::vector<std::pair<int64_t, const char*>>& values) {
  BatchBuilder batch(std::make_shared<Schema>(kPeople));
  for (const auto& [id, name] : values) {
    if (id) {
      batch.column<Int64Builder>(0).append(id);
    } else {
      batch.column(0).append_null();
    }
    batch.column<Utf8Builder>(1).append(name);
  }
  std::vector<Batch> out;
  out.push_back(batch.finish());
  return out;
}

// A batch of texts, whatever the stream's types: null where a text is "null".
inline std::vector<Batch> batch_of(const Schema& schema,
                                   const std::vector<std::vector<std::string>>& values) {
  BatchBuilder batch(std::make_shared<Schema>(schema));
  for (const auto& row : values) {
    for (size_t i = 0; i < row.size(); ++i) {
      const TextAppender column(schema.fields[i].type, batch.column(i));
      if (row[i] == "null") {
        column.append_null();
      } else if (!column.append(row[i])) {
        throw Error(Code::kInternal, "test: " + row[i] + " is not a value");
      }
    }
  }
  std::vector<Batch> out;
  out.push_back(batch.finish());
  return out;
}

inline Schema schema_of(const std::string& name, const std::string& fields) {
  return {name, parse_type("struct<" + fields + ">").fields, {}};
}

}  // namespace patchbay
