// What is installed: good and broken manifests, each with the words that help.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/catalog.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

constexpr const char* kGood = R"({"id": "good", "version": "1.2.3", "abi": {"major": 1, "minor": 0},
  "library": "good.so", "summary": "s",
  "components": [{"name": "good", "kind": "sink", "config": {"type": "object", "properties": {"method": {"enum": ["load", "stream"]}}},
    "delivery": {"option": "method", "load": "transactional", "stream": "at_least_once"}}]})";

std::string problem_of(const std::string& text) {
  const TemporaryFolder folder;
  folder.write("x.so", "");
  folder.write("x.json", text);
  const Catalog catalog({{folder.path()}, {}});
  EXPECT_EQ(catalog.entries().size(), 1u);
  const auto& entry = *catalog.entries().begin();
  EXPECT_EQ(entry.manifest == nullptr, !entry.problem.empty());
  const std::string prefix = (folder.path() / "x.json: ").string();
  return entry.problem.starts_with(prefix) ? entry.problem.substr(prefix.size()) : entry.problem;
}

// A manifest of x with some of its text replaced.
std::string with(const std::string& what, const std::string& by) {
  std::string text = R"({
  "id": "x", "version": "1.0.0", "abi": {"major": 1, "minor": 0}, "library": "x.so", "summary": "s",
  "components": [
    {"name": "x", "kind": "sink", "delivery": "transactional", "tables_option": "tables", "target": ["path"],
     "config": {"type": "object", "properties": {"path": {"type": "string"}, "tables": {"type": "object"}}}}]})";
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Catalog, SaysWhyAManifestIsUnusable) {
  const struct {
    const char* what;
    const char* by;
    const char* problem;
  } kCases[] = {
      {"s", "s", ""},
      {"\"id\": \"x\", ", "\"id\": \"x\" ",
       "line 2, column 13: Missing ',' or '}' in object declaration"},
      {"\"id\": \"x\"", "\"id\": \"y\"", "id: must be x, as the file's name, not y"},
      {"\"version\": \"1.0.0\", ", "", "version: missing"},
      {"\"summary\": \"s\"", "\"summary\": \"\xff\"", "summary: is no UTF-8 text"},
      {"1.0.0", "one", "version: must be like 1.2.3, not one"},
      {"\"summary\"", "\"sumary\"",
       "sumary: unknown option of a manifest, did you mean summary?; summary: missing"},
      {"\"sink\"", "\"snik\"",
       "components[0].kind: must be source, transform or sink, not snik, did you mean sink?"},
      {"\"delivery\": \"transactional\"", "\"delivery\": \"transactionl\"",
       "components[0].delivery: must be transactional, idempotent or at_least_once, not "
       "transactionl, did you mean transactional?"},
      {"\"delivery\": \"transactional\", ", "", "components[0].delivery: missing, a sink needs it"},
      {"\"delivery\": \"transactional\"", "\"delivery\": {\"option\": \"mode\"}",
       "components[0].delivery.option: there is no option mode"},
      {"\"tables_option\": \"tables\"", "\"tables_option\": \"table\"",
       "components[0].tables_option: there is no option table, did you mean tables?"},
      {"[\"path\"]", "[\"file\"]", "components[0].target: there is no option file"},
      {"\"string\"", "\"strin\"",
       "components[0].config.properties.path.type: must be string, integer, number, boolean, "
       "array, object or null, not strin, did you mean string?"},
      {"{\"type\": \"string\"}", "{\"type\": {\"const\": 1}}",
       "components[0].config.properties.path.type: must be string, integer, number, boolean, "
       "array, object or null, not an object"},
      {"{\"type\": \"string\"}", "{\"typ\": \"string\"}",
       "components[0].config.properties.path.typ: unknown word of JSON Schema, did you mean type?"},
      {"{\"type\": \"string\"}", "\"string\"",
       "components[0].config.properties.path: must be an object, not the text \"string\""},
      {"\"x.so\"", "\"gone.so\"",
       "library: gone.so is not there; run `apt install --reinstall patchbay-plugin-x`"},
      {"\"x.so\"", "\"../x.so\"", "library: must be a file name without a folder"},
      {"\"major\": 1", "\"major\": 9",
       "abi: needs 9.0, this host has 1.0; install a patchbay-plugin-x that fits"},
      {"\"minor\": 0", "\"minor\": 99",
       "abi: needs 1.99, this host has 1.0; install a patchbay-plugin-x that fits"},
  };
  for (const auto& c : kCases) EXPECT_EQ(problem_of(with(c.what, c.by)), c.problem) << c.by;
}

TEST(Catalog, SurvivesFilesThatAreNoManifests) {
  const struct {
    const char* text;
    const char* problem;
  } kCases[] = {
      {"", "line 1, column 1: Syntax error: value, object or array expected"},
      {"[]", "must be an object, not a list"},
      {"\"x\"", "must be an object, not the text \"x\""},
      {"{\"id\": \"x\", \"id\": \"x\"}", "line 1, column 13: Duplicate key: 'id'"},
  };
  for (const auto& c : kCases)
    EXPECT_THAT(problem_of(c.text), testing::HasSubstr(c.problem)) << c.text;
  EXPECT_NE(problem_of(std::string(5000, '[')), "");
  EXPECT_NE(problem_of(std::string("\xff\xfe\0", 3)), "");
}

TEST(Catalog, ListsTheOthersBesideABrokenOne) {
  const TemporaryFolder folder;
  folder.write("good.so", "");
  folder.write("good.json", kGood);
  folder.write("bad.json", "{");
  folder.write("README", "no manifest");
  const Catalog catalog({{folder.path(), folder.path() / "gone"}, {}});
  EXPECT_THAT(catalog.ids(), testing::ElementsAre("bad", "good"));
  EXPECT_EQ(catalog.find("bad")->manifest, nullptr);
  ASSERT_NE(catalog.find("good")->manifest, nullptr);
  EXPECT_EQ(catalog.find("good")->manifest->version, "1.2.3");
  EXPECT_EQ(catalog.find("other"), nullptr);
}

TEST(Catalog, TakesThePluginOfTheFirstFolder) {
  const TemporaryFolder first, second;
  for (const auto* folder : {&first, &second}) {
    folder->write("good.so", "");
    folder->write("good.json", kGood);
  }
  const Catalog catalog({{first.path(), second.path()}, {}});
  ASSERT_EQ(catalog.entries().size(), 1u);
  EXPECT_EQ(catalog.find("good")->manifest->library, first.path() / "good.so");
}

TEST(Catalog, FindsTheLibraryInALibraryFolder) {
  const TemporaryFolder manifests, libraries;
  manifests.write("good.json", kGood);
  libraries.write("good.so", "");
  const Catalog catalog({{manifests.path()}, {libraries.path()}});
  ASSERT_NE(catalog.find("good")->manifest, nullptr) << catalog.find("good")->problem;
  EXPECT_EQ(catalog.find("good")->manifest->library, libraries.path() / "good.so");
}

TEST(Manifest, SaysHowASinkCommitsWhereAnOptionDecides) {
  const TemporaryFolder folder;
  folder.write("good.so", "");
  folder.write("good.json", kGood);
  const Catalog catalog({{folder.path()}, {}});
  const ComponentManifest& sink = catalog.find("good")->manifest->components.at(0);
  Json::Value config;
  config["method"] = "load";
  EXPECT_EQ(delivery_of(sink, config), Delivery::kTransactional);
  config["method"] = "stream";
  EXPECT_EQ(delivery_of(sink, config), Delivery::kAtLeastOnce);
}

}  // namespace
}  // namespace patchbay::host
