// A sink with tables, the source that reads them back, and a fresh table for each test. Which sink:
// the JSON in the environment variable TABLE_CLAIMS.
//
//   {"plugin": "sqlite.so", "manifest": "sqlite.json", "component": "sqlite",
//    "config": {..}           options of sink and source alike, but tables
//    "secrets": {"name": ".."}
//    "modes": ["append", ..], the write modes that it has
//    "folds_case": true,      columns Id and ID are one
//    "keeps_prepared": true,  another process may commit
//    "keeps_on_request": true,  it may where the host asked to keep what it prepared
//    "keeps_newest": true,    it knows the newest epoch of a scope
//    "knows_outcomes": true}
#pragma once

#include <gmock/gmock.h>
#include <json/value.h>

#include <memory>
#include <string>
#include <vector>

#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"

namespace patchbay::test {

// The description, and the plugin that it names.
struct SinkUnderTest {
  Json::Value facts, manifest;
  const bay_plugin* plugin = nullptr;
};
const SinkUnderTest& under_test();

// Of the given modes those that the sink has.
std::vector<std::string> modes(const std::vector<std::string>& wanted);

using Texts = std::vector<std::string>;

class TableBench : public testing::Test {
 protected:
  TableBench();

  // A sink whose streams go into the table of this test, with `more` options.
  SinkDriver& sink(const std::string& mode, const std::string& more = "{}");
  // Another object, as another process has it.
  std::unique_ptr<SinkDriver> another(const std::string& mode, const std::string& more = "{}");

  // "id: int64, name: utf8" as the stream of that name.
  static Schema stream(const std::string& name, const std::string& fields);
  // Rows of texts, "1|a"; null is an empty text.
  static std::vector<Batch> batches(const Schema& schema, const std::vector<Texts>& batches);

  // Plans, applies, opens, writes and prepares in the open epoch. A token for `commit`.
  void prepare(const Schema& schema, const std::vector<Texts>& rows);
  // Commits what was prepared and begins the next epoch.
  void commit();
  void write(const std::string& mode, const Schema& schema, const Texts& rows,
             const std::string& more = "{}");
  // The failure of an epoch that must not become visible, at prepare or at commit.
  std::string refusal(const Schema& schema, const std::vector<Texts>& rows, Code code);

  // The table, sorted: "1|a|". Empty where it is not there.
  Texts rows(const std::string& columns = "id, name");

  bool has(const char* fact) const { return under_test().facts[fact].asBool(); }
  std::string txn() const { return table_ + "-e" + std::to_string(host.epoch.number); }
  void next_epoch();

  FakeHost host;
  std::string table_;
  std::vector<std::string> tokens_;
  std::vector<Prepared> prepared_;

 private:
  std::unique_ptr<SinkDriver> sink_;
};

class ModeBench : public TableBench, public testing::WithParamInterface<std::string> {};

}  // namespace patchbay::test
