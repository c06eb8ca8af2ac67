// Good pipeline files: what they come to.
#include <gmock/gmock.h>

#include "manifest/config_check.h"
#include "pipeline_fixture.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;

class PipelineParse : public PipelineFixture {
 protected:
  // The value of store.path after variables are replaced.
  std::string path_with(const std::string& top, const std::string& path) {
    const Pipeline pipeline = parse(
        top +
        "nodes:\n  - {use: survey, with: {key: {secret: key}}}\n  - {use: store, with: {path: '" +
        path + "'}}\n");
    return pipeline.nodes.at(1).config["path"].asString();
  }
};

const std::string kNodes =
    "nodes:\n  - {use: survey, with: {key: {secret: key}}}\n  - {use: store, with: {path: x}}\n";

TEST_F(PipelineParse, FillsInDefaults) {
  const Pipeline pipeline = parse(kNodes, "nightly.yaml");
  EXPECT_EQ(pipeline.name, "nightly");
  EXPECT_EQ(pipeline.on_schema_change, SchemaPolicy::kFail);
  EXPECT_EQ(pipeline.require, std::nullopt);
  EXPECT_EQ(pipeline.rejects.max_rows, 0);
  EXPECT_EQ(pipeline.retry.attempts, 5u);
  EXPECT_EQ(pipeline.retry.within, std::chrono::minutes(10));
  EXPECT_EQ(pipeline.timezone, "UTC");
  EXPECT_EQ(pipeline.nodes[0].config["page_size"].asInt(), 500);
  EXPECT_EQ(pipeline.nodes[1].config["write"].asString(), "append");
}

TEST_F(PipelineParse, ReadsTheTopLevel) {
  const Pipeline pipeline = parse(
      "name: n\ndescription: d\ncommit: {rows: 10, bytes: 8MiB, every: 1.5m}\non_schema_change: "
      "evolve\n"
      "require: exactly_once\nrejects: {max: 2.5%}\nconcurrency: 7\nretry: {attempts: 2, for: 30}\n"
      "timezone: Europe/Berlin\n" +
      kNodes);
  EXPECT_EQ(pipeline.name, "n");
  EXPECT_EQ(pipeline.commit.rows, 10);
  EXPECT_EQ(pipeline.commit.bytes, 8 << 20);
  EXPECT_EQ(pipeline.commit.every, std::chrono::seconds(90));
  EXPECT_EQ(pipeline.on_schema_change, SchemaPolicy::kEvolve);
  EXPECT_EQ(pipeline.require, Guarantee::kExactlyOnce);
  EXPECT_EQ(pipeline.rejects.percent, 2.5);
  EXPECT_EQ(pipeline.concurrency, 7u);
  EXPECT_EQ(pipeline.retry.attempts, 2u);
  EXPECT_EQ(pipeline.retry.within, std::chrono::seconds(30));
  EXPECT_EQ(pipeline.timezone, "Europe/Berlin");
}

TEST_F(PipelineParse, ReadsJsonLikeYaml) {
  const Pipeline pipeline = parse(
      "{\"name\": \"j\", \"nodes\": [{\"use\": \"survey\", \"with\": {\"key\": {\"secret\": "
      "\"key\"}}},\n"
      "\t{\"use\": \"store\", \"with\": {\"path\": \"x\"}}]}",
      "p.json");
  EXPECT_EQ(pipeline.name, "j");
  EXPECT_EQ(pipeline.nodes.size(), 2u);
}

TEST_F(PipelineParse, PutsEachNodeAfterThoseItReads) {
  const Pipeline pipeline = parse(
      "nodes:\n"
      "  - {use: store, id: out, from: both, with: {path: x}}\n"
      "  - {use: join, id: both, from: [a, b]}\n"
      "  - {use: survey, id: a, with: {key: {secret: key}}}\n"
      "  - {use: survey, id: b, with: {key: {secret: key}}}\n");
  std::vector<std::string> ids;
  for (const auto& node : pipeline.nodes) ids.push_back(node.id);
  EXPECT_THAT(ids, ElementsAre("a", "b", "both", "out"));
  EXPECT_THAT(pipeline.nodes[2].from_index, ElementsAre(0u, 1u));
  EXPECT_EQ(pipeline.nodes[2].kind, Kind::kTransform);
  EXPECT_EQ(pipeline.nodes[3].kind, Kind::kSink);
}

TEST_F(PipelineParse, PicksTheComponentByItsPlace) {
  const Pipeline pipeline = parse(
      "nodes:\n  - {use: store, id: in}\n  - use: text.decode\n  - {use: store, id: out, with: "
      "{path: x}}\n");
  EXPECT_EQ(pipeline.nodes[0].component->kind, Kind::kSource);
  EXPECT_EQ(pipeline.nodes[1].component->name, "decode");
  EXPECT_EQ(pipeline.nodes[1].id, "text");
  EXPECT_EQ(pipeline.nodes[2].component->kind, Kind::kSink);
}

TEST_F(PipelineParse, BeginsAChainAtANodeThatCanOnlyBeASource) {
  const Pipeline pipeline = parse(
      "nodes:\n"
      "  - {use: store, id: a}\n"
      "  - {use: text.decode, id: da}\n"
      "  - {use: store, id: b}\n"
      "  - {use: text.decode, id: db}\n"
      "  - {use: join, from: [da, db]}\n"
      "  - {use: store, id: out, with: {path: x}}\n"
      "  - {use: store, id: c}\n"
      "  - {use: store, id: last, from: [c], with: {path: y}}\n");
  const auto& nodes = pipeline.nodes;
  EXPECT_EQ(nodes[2].kind, Kind::kSource);
  EXPECT_THAT(nodes[4].from_index, ElementsAre(1u, 3u));
  EXPECT_EQ(nodes[5].kind, Kind::kSink);
  EXPECT_EQ(nodes[6].kind, Kind::kSource);
}

TEST_F(PipelineParse, SelectsAndRenamesStreams) {
  const Pipeline pipeline = parse(
      "nodes:\n  - {use: survey, streams: {responses: {rename: results}, people: }, with: {key: "
      "{secret: key}}}\n"
      "  - {use: store, with: {path: x}, streams: [results]}\n");
  EXPECT_THAT(pipeline.nodes[0].streams.selected, ElementsAre("people", "responses"));
  EXPECT_EQ(pipeline.nodes[0].streams.renamed.at("responses"), "results");
  EXPECT_THAT(pipeline.nodes[1].streams.selected, ElementsAre("results"));
}

TEST_F(PipelineParse, ReplacesVariables) {
  environment_.variables["where"] = "environment";
  options_.set["day"] = "5";
  options_.set["typed"] = "${day}";
  const std::string top =
      "variables: {where: file, day: 1, file: only, typed: x, today: '${run.date:%d}', folder: "
      "'${where}/${today}', plain: '$${day}'}\n";
  const struct {
    const char* text;
    const char* value;
  } kCases[] = {
      {"${where}", "environment"},
      {"${file}/${day}.db", "only/5.db"},
      {"$${where}", "${where}"},
      {"$$${where}", "$${where}"},
      {"a$b{c}", "a$b{c}"},
      {"${run.id}", "01RUN"},
      {"${run.date}", "2026-01-02"},
      {"${run.time}", "2026-01-02T23:30:00"},
      {"x-${run.date:%Y%m%d}-${run.time:%H}.db", "x-20260102-23.db"},
      {"${folder}", "environment/02"},
      {"${plain}", "${day}"},
      {"${typed}", "${day}"},  // on the command line, a shell has been there
  };
  for (const auto& c : kCases) EXPECT_EQ(path_with(top, c.text), c.value) << c.text;
}

TEST_F(PipelineParse, TellsTheTimeInThePipelinesZone) {
  EXPECT_EQ(path_with("timezone: Europe/Berlin\n", "${run.date}"), "2026-01-03");
  environment_.timezone = "America/New_York";
  EXPECT_EQ(path_with("", "${run.time}"), "2026-01-02T18:30:00");
}

TEST_F(PipelineParse, KeepsTheTypeOfAVariableThatIsTheWholeValue) {
  const std::string nodes =
      "nodes:\n  - {use: survey, with: {key: {secret: key}, page_size: '${n}', replay: '${r}'}}\n"
      "  - {use: store, with: {path: x, tables: '${t}'}}\n";
  options_.set["n"] = "20";  // the command line only has text
  const Pipeline pipeline =
      parse("variables: {n: 10, r: true, t: {responses: results}}\nconcurrency: '${n}'\n" + nodes);
  EXPECT_EQ(pipeline.nodes[0].config["page_size"].asInt(), 20);
  EXPECT_TRUE(pipeline.nodes[0].config["replay"].asBool());
  EXPECT_EQ(pipeline.nodes[1].config["tables"]["responses"].asString(), "results");
  EXPECT_EQ(pipeline.concurrency, 20u);
}

TEST_F(PipelineParse, ReplacesValuesAndNeverText) {
  options_.set["x"] = "a\", evil: \"b";
  EXPECT_EQ(path_with("variables: {x: 1st}\n", "${x}"), "a\", evil: \"b");
}

TEST_F(PipelineParse, GivesEditorsASchemaThatItsFilesConformTo) {
  const Catalog catalog({{folder_.path() / "plugins"}, {}});
  const Json::Value schema = pipeline_schema(catalog);
  const auto conforms = [&](const std::string& yaml) {
    return validate_json_schema(schema, parse_document("f", yaml).root) == "";
  };
  EXPECT_TRUE(conforms(kNodes));
  EXPECT_TRUE(
      conforms("nodes:\n  - {use: survey, with: {key: {secret: key}, page_size: '${n}'}}\n"));
  EXPECT_FALSE(conforms("nodes:\n  - {use: survey, with: {key: literal}}\n"));
  EXPECT_FALSE(conforms("nodes:\n  - {use: survey, with: {key: {secret: key}, page_sise: 5}}\n"));
  EXPECT_FALSE(conforms("nodes:\n  - {use: nothing}\n"));
  EXPECT_FALSE(conforms("node: []\n"));
}

}  // namespace
}  // namespace patchbay::host
