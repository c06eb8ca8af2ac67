// Every fault of a pipeline file: message, line and column.
#include <gmock/gmock.h>

#include "patchbay/error.h"
#include "pipeline_fixture.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PipelineFaults : public PipelineFixture {};

const std::string kSurvey = "  - {use: survey, with: {key: {secret: key}}}\n";
const std::string kStore = "  - {use: store, with: {path: x}}\n";

TEST_F(PipelineFaults, NameLineColumnAndRemedy) {
  const struct {
    std::string text;
    const char* fault;
  } kCases[] = {
      {"[]", "1:1: must be a mapping with nodes:"},
      {"name: x", "1:1: nodes: missing"},
      {"nodes: []", "1:1: nodes: needs at least 1 entries"},
      {"nodes: 5", "1:1: nodes: must be a list, not 5"},
      {"nodes:\n  - with: {}\n", "2:5: nodes[0].use: missing"},
      {"name: a/b\nnodes:\n" + kSurvey + kStore,
       "1:1: name: must be text on one line, without \"/\""},
      {"name: \"a\\nb\"\nnodes:\n" + kSurvey + kStore,
       "1:1: name: must be text on one line, without \"/\""},
      {"nodes:\n" + kSurvey + kStore + "on_schema_chang: fail\n",
       "4:1: on_schema_chang: unknown option of a pipeline, did you mean on_schema_change?"},
      {"on_schema_change: evolv\nnodes:\n" + kSurvey + kStore,
       "1:1: on_schema_change: must be fail, ignore, reject or evolve, not evolv, did you mean "
       "evolve?"},
      {"commit: {rows: 0}\nnodes:\n" + kSurvey + kStore,
       "1:10: commit.rows: must be between 1 and 1000000000, not 0"},
      {"commit: {every: soon}\nnodes:\n" + kSurvey + kStore,
       "1:10: commit.every: must be a duration like 500ms, 60s, 10m, 2h or 30d, up to a year"},
      {"commit: {every: nan s}\nnodes:\n" + kSurvey + kStore,
       "1:10: commit.every: must be a duration like 500ms, 60s, 10m, 2h or 30d, up to a year"},
      {"commit: {bytes: 5 XB}\nnodes:\n" + kSurvey + kStore,
       "1:10: commit.bytes: must be a size like 500kB, 8MiB or 1GiB, up to 1000 GB"},
      {"rejects: {max: nan%}\nnodes:\n" + kSurvey + kStore,
       "1:11: rejects.max: must be a number of rows or a share like 5%"},
      {"rejects: {max: 101%}\nnodes:\n" + kSurvey + kStore,
       "1:11: rejects.max: must be a number of rows or a share like 5%"},
      {"retry: {attempts: 0}\nnodes:\n" + kSurvey + kStore,
       "1:9: retry.attempts: must be between 1 and 100, not 0"},
      {"concurrency: 1000\nnodes:\n" + kSurvey + kStore,
       "1:1: concurrency: must be between 1 and 256, not 1000"},
      {"timezone: Mars/Base\nnodes:\n" + kSurvey + kStore,
       "1:1: timezone: Mars/Base is no IANA time zone; write one like Europe/Berlin"},
      {"nodes:\n" + kSurvey + "  - {use: store, wiht: {path: x}, with: {path: x}}\n",
       "3:18: nodes[1].wiht: unknown option of a pipeline, did you mean with?"},
      {"nodes:\n" + kSurvey + "  - {use: stor, with: {path: x}}\n",
       "3:6: use: there is no plugin stor, did you mean store?"},
      {"nodes:\n" + kSurvey + "  - {use: snowflake}\n",
       "3:6: use: there is no plugin snowflake; install it with `apt install "
       "patchbay-plugin-snowflake`"},
      {"nodes:\n" + kSurvey + "  - {use: store.stor, with: {path: x}}\n",
       "3:6: use: store has no component stor, did you mean store?; it has store.store (source), "
       "store.store (sink)"},
      {"nodes:\n" + kSurvey + "  - use: text\n" + kStore,
       "3:5: use: text has several of this kind; write text.decode or text.encode"},
      {"nodes:\n" + kSurvey + "  - use: text.decode\n",
       "3:5: use: text.decode stands where a sink must be (no node reads it); it has text.decode "
       "(transform), text.encode (transform)"},
      {"nodes:\n  - use: map\n" + kStore,
       "2:5: use: map stands where a source must be (it reads no node); it has map.map "
       "(transform)"},
      {"nodes:\n" + kStore + "  - {use: survey, from: store, with: {key: {secret: key}}}\n",
       "3:6: use: survey stands where a sink must be (no node reads it); it has survey.survey "
       "(source)"},
      {"nodes:\n" + kSurvey, "1:1: nodes: nothing is written; the last node must be a sink"},
      {"nodes:\n" + kSurvey + kStore + "  - {use: store, from: survey, with: {path: y}}\n",
       "4:5: two nodes have the id store; give one of them another with id:"},
      {"nodes:\n" + kSurvey + "  - {use: store, id: a/b, with: {path: x}}\n",
       "3:18: id: has no \"/\""},
      {"nodes:\n" + kSurvey + "  - {use: store, from: survy, with: {path: x}}\n",
       "3:18: from: there is no node survy, did you mean survey?"},
      {"nodes:\n" + kSurvey + "  - {use: join, from: [survey, survey]}\n" + kStore,
       "3:32: from: survey stands twice"},
      {"nodes:\n" + kSurvey + "  - {use: map}\n  - {use: map, id: a, from: [b]}\n" +
           "  - {use: map, id: b, from: a}\n" + "  - {use: store, from: map, with: {path: x}}\n",
       "4:5: node a reads itself, directly or through others"},
      {"nodes:\n  - {use: map, from: map}\n",
       "2:5: node map reads itself, directly or through others"},
      {"nodes:\n" + kSurvey + "  - {use: survey, id: other, with: {key: {secret: key}}}\n" +
           "  - {use: store, from: survey, with: {path: x}}\n",
       "3:5: node other: no node reads it; name it in a from:"},
      {"nodes:\n" + kSurvey + "  - {use: survey, id: other, with: {key: {secret: key}}}\n" +
           "  - {use: map, from: [survey, other]}\n" + kStore,
       "4:16: from: map reads one node, not 2"},
      {"nodes:\n  - {use: survey, streams: [response], with: {key: {secret: key}}}\n" + kStore,
       "2:29: streams: survey has no stream response, did you mean responses?"},
      {"nodes:\n  - use: survey\n    with: {key: {secret: key}}\n    streams:\n      responses: "
       "{rename: a}\n"
       "      people: {rename: a}\n" +
           kStore,
       "5:7: streams: people and responses both become a"},
      {"nodes:\n  - {use: survey, with: {key: {secret: key}, page_sise: 5}}\n" + kStore,
       "2:46: page_sise: unknown option of survey, did you mean page_size?"},
      {"nodes:\n  - {use: survey, with: {key: hunter2}}\n" + kStore,
       "2:26: key: must be a reference {secret: NAME}, never the value itself"},
      {"nodes:\n  - {use: survey}\n" + kStore, "2:5: key: missing"},
      {"nodes:\n" + kSurvey + "  - {use: store, with: {path: x, write: upsert}}\n",
       "3:18: keys: missing, needed with write: upsert"},
      {"nodes:\n" + kSurvey + "  - {use: store, with: {path: \"${nope}\"}}\n",
       "3:25: ${nope}: undefined variable (define it under variables:, in the environment, or with "
       "--set nope=..)"},
      {"variables: {day: 1}\nnodes:\n  - {use: survey, with: {key: {secret: key}, page_size: "
       "\"${dya}\"}}\n" +
           kStore,
       "3:46: ${dya}: undefined variable, did you mean day? (define it under variables:, in the "
       "environment, or with --set dya=..)"},
      {"nodes:\n" + kSurvey + "  - {use: store, with: {path: \"a${\"}}\n",
       "3:25: \"${\" without \"}\"; write $${ for the characters themselves"},
      {"nodes:\n  - {use: survey, with: {key: {secret: gone}}}\n" + kStore,
       "2:5: secret gone: missing; set the environment variable PATCHBAY_SECRET_GONE or the file "
       "$CREDENTIALS_DIRECTORY/gone"},
      {"nodes:\n  - {use: survey, with: {key: {secret: empty}}}\n" + kStore,
       "2:5: secret empty: the environment variable PATCHBAY_SECRET_EMPTY is empty"},
      {"require: exactly_once\nnodes:\n" + kSurvey +
           "  - {use: store, with: {path: x, method: stream}}\n",
       "1:1: require: exactly_once can't be kept; store: writes at least once with method: stream"},
      {"require: exactly_once\nnodes:\n  - {use: store, id: in}\n  - {use: store, with: {path: "
       "x}}\n",
       "1:1: require: exactly_once can't be kept; in: its rows cannot be read again from a state"},
  };
  unsetenv("CREDENTIALS_DIRECTORY");
  for (const auto& c : kCases) EXPECT_THAT(faults(c.text), ElementsAre(c.fault)) << c.text;
}

TEST_F(PipelineFaults, NameABrokenPluginAndItsFault) {
  const auto found = faults("nodes:\n" + kSurvey + "  - use: broken\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], testing::HasSubstr("3:5: use: plugin broken is unusable: "));
  EXPECT_THAT(found[0], testing::HasSubstr("broken.json: line 1, column 2: "));
}

TEST_F(PipelineFaults, AreReportedAllAtOnceInTheFilesOrder) {
  EXPECT_THAT(faults("nme: x\ncommit: {rows: 0}\nnodes:\n"
                     "  - {use: survey, with: {key: {secret: gone}, page_size: 0, zzz: 1}}\n"
                     "  - {use: mapp}\n"
                     "  - {use: store, with: {path: 5}}\n"),
              ElementsAre("1:1: nme: unknown option of a pipeline, did you mean name?",
                          "2:10: commit.rows: must be between 1 and 1000000000, not 0",
                          testing::StartsWith("4:5: secret gone: missing"),
                          "4:47: page_size: must be between 1 and 1000, not 0",
                          "4:61: zzz: unknown option of survey",
                          "5:6: use: there is no plugin mapp, did you mean map?",
                          "6:25: path: must be text, not 5; put it in quotes"));
}

TEST_F(PipelineFaults, SeeTwoSinksOnOneTable) {
  const std::string a = "  - {use: store, id: a, from: survey, with: {path: x";
  const std::string b = "  - {use: store, id: b, from: survey, with: {path: ";
  const std::string unknown = "nodes:\n  - {use: store, id: survey, with: {}}\n";
  const struct {
    std::string text;
    const char* what;  // "" = no fault
  } kCases[] = {
      {"nodes:\n" + kSurvey + a + ", tables: {responses: t}}}\n" + b + "x, tables: {people: t}}}\n",
       "the table t"},
      {"nodes:\n" + kSurvey + a + ", tables: {responses: t, people: p}}}\n" + b +
           "y, tables: {responses: t, people: p}}}\n",
       ""},
      {"nodes:\n" + kSurvey + a + "}, streams: [people]}\n" + b + "x}, streams: [people]}\n",
       "the table people"},
      {"nodes:\n" + kSurvey + a + "}, streams: [people]}\n" + b + "x}, streams: [responses]}\n",
       ""},
      {"nodes:\n" + kSurvey + a + "}, streams: [people]}\n" + b +
           "x}, streams: {responses: {rename: people}}}\n",
       "the table people"},
      {unknown + a + "}}\n" + b + "x}}\n", "the streams of survey to the same tables"},
      {unknown + a + ", tables: {q: t}}}\n" + b + "x, tables: {q: u}}}\n", ""},
  };
  for (const auto& c : kCases) {
    if (!*c.what) {
      EXPECT_THAT(faults(c.text), ElementsAre()) << c.text;
    } else {
      EXPECT_THAT(faults(c.text), ElementsAre(std::string("4:5: nodes a and b both write ") +
                                              c.what + "; let one of them do it"))
          << c.text;
    }
  }
}

TEST_F(PipelineFaults, NeverShowALiteralSecret) {
  for (const auto& fault : faults(
           "variables: {k: hunter2}\nnodes:\n  - {use: survey, with: {key: \"${k}\"}}\n" + kStore))
    EXPECT_THAT(fault, testing::Not(testing::HasSubstr("hunter2")));
}

TEST_F(PipelineFaults, OfSecretsAloneAreTheirOwnKind) {
  EXPECT_THROW(parse("nodes:\n  - {use: survey, with: {key: {secret: gone}}}\n" + kStore),
               MissingSecrets);
}

TEST_F(PipelineFaults, SayThatAPluginIsNotEnabledOrOfAnotherVersion) {
  environment_.local = false;
  environment_.name = "prod";
  environment_.dir = folder_.path() / "prod";
  folder_.write("prod/plugins.d/survey.json", "{\"id\": \"survey\", \"version\": \">=2\"}");
  EXPECT_THAT(
      faults("nodes:\n" + kSurvey + kStore),
      ElementsAre(
          "2:6: use: plugin survey is installed as 1.2.0, but environment prod wants >=2 (" +
              (folder_.path() / "prod/plugins.d/survey.json").string() + ")",
          "3:6: use: plugin store is not enabled; run `patchbay plugins enable store "
          "--env prod`"));
}

TEST_F(PipelineFaults, UnknownSetIsAUsageError) {
  options_.set["dya"] = "1";
  try {
    parse("variables: {day: 1}\nnodes:\n" + kSurvey + kStore);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "--set dya: neither the pipeline nor the environment has such a variable, did you "
                 "mean day?");
  }
}

TEST_F(PipelineFaults, NameBothPlacesWhereAPipelineIsNot) {
  environment_.local = false;
  environment_.dir = folder_.path() / "prod";
  folder_.write("prod/pipelines/nightly.yaml", "nodes: []");
  EXPECT_EQ(find_pipeline("nightly", environment_), folder_.path() / "prod/pipelines/nightly.yaml");
  EXPECT_EQ(find_pipeline("-", environment_), "-");
  try {
    find_pipeline("weekly", environment_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_EQ(std::string(error.what()), "weekly: is not there: no such file, nor a pipeline in " +
                                             (folder_.path() / "prod/pipelines").string());
  }
}

TEST_F(PipelineFaults, VariablesThatReferToThemselves) {
  const auto text = [](const std::string& variables, const std::string& name) {
    return "variables:\n" + variables + "nodes:\n" + kSurvey + "  - {use: store, with: {path: '${" +
           name + "}'}}\n";
  };
  EXPECT_THAT(faults(text("  a: '${b}'\n  b: x${a}\n", "a")),
              ElementsAre(HasSubstr("${a}: the variable refers to itself")));
  EXPECT_THAT(faults(text("  a: '${nosuch}'\n", "a")),
              ElementsAre(HasSubstr("${nosuch}: undefined")));
  std::string doubling = "  v0: ''\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "${v" + std::to_string(i - 1) + "}";
    doubling += "  v" + std::to_string(i) + ": '" + before + before + "'\n";
  }
  EXPECT_THAT(faults(text(doubling, "v39")), ElementsAre(HasSubstr("refer to others too often")));
}

TEST_F(PipelineFaults, RowsThatStayInASystemAreOnlyForItsNodes) {
  const std::string option =
      R"("config": {"type": "object", "properties": {"at": {"enum": ["here", "there"], "default": "there"}}},
      "references": {"option": "at", "there": "lake"}})";
  add("lake", R"({"name": "lake", "kind": "source", )" + option +
                  R"(, {"name": "lake", "kind": "sink", "delivery": "transactional", )" + option);
  add("ask", R"({"name": "ask", "kind": "transform", "inputs": "many", )" + option);
  const std::string from = "nodes:\n  - {use: lake, id: a}\n", to = "  - {use: lake, id: b}\n";
  const std::string here = "with: {at: here}";
  EXPECT_THAT(faults(from + "  - use: ask\n" + to), ElementsAre());
  EXPECT_THAT(faults(from + to), ElementsAre());
  EXPECT_THAT(faults("nodes:\n" + kSurvey + to), ElementsAre());
  EXPECT_THAT(
      faults(from + kStore),
      ElementsAre("3:5: node store takes rows, and those of a (at: there) stay inside lake; let it "
                  "send rows, or write to lake"));
  EXPECT_THAT(
      faults(from + "  - use: map\n" + to),
      ElementsAre("3:5: node map takes rows, and those of a (at: there) stay inside lake; let it "
                  "send rows, or write to lake"));
  EXPECT_THAT(faults("nodes:\n" + kSurvey + "  - use: ask\n" + to),
              ElementsAre("3:5: node ask (at: there) works on tables inside lake, and survey sends "
                          "rows; let it read the tables by reference, or change ask"));
  EXPECT_THAT(faults(from + "  - {use: ask, " + here + "}\n" + to),
              ElementsAre("3:5: node ask (at: here) takes rows, and those of a (at: there) stay "
                          "inside lake; let it send rows, or write to lake"));
  EXPECT_THAT(faults(from + "  - {use: lake, id: b, " + here + "}\n"),
              ElementsAre("3:5: node b (at: here) takes rows, and those of a (at: there) stay "
                          "inside lake; let it send rows, or write to lake"));
}

}  // namespace
}  // namespace patchbay::host
