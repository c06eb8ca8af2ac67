// The manifests of this tree: complete, and saying what users count on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "manifest/catalog.h"
#include "manifest/config_check.h"
#include "report/json_text.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

fs::path manifests() { return fs::path(std::getenv("PATCHBAY_SOURCE_DIR")) / "manifests"; }

Json::Value read(const fs::path& file) {
  std::ifstream in(file);
  return parse_json_text(std::string(std::istreambuf_iterator<char>(in), {}));
}

std::vector<Json::Value> all() {
  std::vector<Json::Value> list;
  for (const auto& entry : fs::directory_iterator(manifests())) list.push_back(read(entry.path()));
  return list;
}

Json::Value component(const std::string& id, const std::string& kind) {
  const Json::Value manifest = read(manifests() / (id + ".json"));
  for (const auto& one : manifest["components"]) {
    if (one["kind"].asString() == kind) return one;
  }
  throw std::runtime_error(id + " has no " + kind);
}

TEST(PluginManifests, AreUsable) {
  const TemporaryFolder libraries;
  for (const auto& manifest : all()) libraries.write(manifest["library"].asString(), "");
  const Catalog catalog({{manifests()}, {libraries.path()}});
  EXPECT_FALSE(catalog.entries().empty());
  for (const auto& entry : catalog.entries()) EXPECT_EQ(entry.problem, "") << entry.id;
}

// What a state is a state of: a mark that is lost would let a state go on from something else.
TEST(PluginManifests, MarkWhatAStateIsAStateOf) {
  const struct {
    const char *id, *kind;
    std::vector<std::string> options;
  } kCases[] = {{"sqlite", "source", {"cursor", "path", "query"}},
                {"sqlite", "sink", {"path"}},
                {"postgres", "source", {"connection", "cursor", "query", "schema"}},
                {"postgres", "sink", {"connection", "schema"}},
                {"files", "sink", {"path"}},
                {"gcs", "source", {"bucket", "endpoint"}},
                {"gcs", "sink", {"bucket", "endpoint", "path"}},
                {"bq", "source", {"dataset", "endpoint", "project", "query"}},
                {"bq", "sink", {"dataset", "endpoint", "project"}},
                {"qreviews", "source", {"base_url"}}};
  for (const auto& c : kCases) {
    const Json::Value options = component(c.id, c.kind)["config"]["properties"];
    std::vector<std::string> marked;
    for (const auto& name : options.getMemberNames())
      if (options[name].isMember("identity")) marked.push_back(name);
    EXPECT_EQ(marked, c.options) << c.id << " " << c.kind;
  }
  EXPECT_EQ(component("sqlite", "sink")["commits"], "alone");
  EXPECT_EQ(component("postgres", "sink")["prepared"], "on_request");
}

TEST(PluginManifests, SayForEachOptionWhatItIs) {
  for (const auto& manifest : all()) {
    for (const auto& one : manifest["components"]) {
      const Json::Value& options = one["config"]["properties"];
      for (const auto& option : options.getMemberNames()) {
        EXPECT_TRUE(options[option].isMember("title") && options[option].isMember("description"))
            << manifest["id"].asString() << "." << one["name"].asString() << ": " << option;
      }
      EXPECT_FALSE(one["config"]["additionalProperties"].asBool()) << manifest["id"].asString();
    }
  }
}

TEST(PluginManifests, HaveDefaultsAndExamplesThatConform) {
  for (const auto& manifest : all()) {
    for (const auto& one : manifest["components"]) {
      const Json::Value& options = one["config"]["properties"];
      for (const auto& name : options.getMemberNames()) {
        Json::Value samples = options[name].get("examples", Json::arrayValue);
        if (options[name].isMember("default")) samples.append(options[name]["default"]);
        for (auto& sample : samples)
          EXPECT_TRUE(check_config(options[name], "x", sample).empty())
              << manifest["id"].asString() << ": " << name;
      }
    }
  }
}

TEST(PluginManifests, AreValidDraft7ForTheFullValidatorToo) {
  for (const auto& manifest : all()) {
    for (const auto& one : manifest["components"]) {
      Json::Value config = one["conformance"]["config"];
      if (!config.isObject()) continue;
      EXPECT_EQ(validate_json_schema(one["config"], config), "") << manifest["id"].asString();
    }
  }
}

TEST(PluginManifests, RefuseUpsertWithoutKeys) {
  for (const char* id : {"bq", "sqlite"}) {
    const Json::Value schema = component(id, "sink")["config"];
    Json::Value config = parse_json_text(R"({"path": "x.db", "write": "upsert"})");
    if (std::string(id) == "bq")
      config = parse_json_text(R"({"project": "p", "dataset": "d", "write": "upsert"})");
    const auto faults = check_config(schema, id, config);
    ASSERT_EQ(faults.size(), 1u) << id;
    EXPECT_EQ(faults[0].message, "keys: missing, needed with write: upsert");
  }
}

TEST(PluginManifests, BigQueryReadsAQueryOrTables) {
  const Json::Value schema = component("bq", "source")["config"];
  Json::Value none = parse_json_text(R"({"project": "p"})");
  const auto faults = check_config(schema, "bq", none);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].message, "with: needs query or dataset and tables");
}

}  // namespace
}  // namespace patchbay::host
