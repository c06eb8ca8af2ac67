// Configurations against a component's schema: the words of each fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/config_check.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Json::Value& schema() {
  static const Json::Value schema = parse_json_text(R"({
    "type": "object", "additionalProperties": false, "required": ["account"],
    "properties": {
      "account": {"type": "string", "minLength": 1},
      "api_key": {"secret": true},
      "page_size": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 500},
      "start": {"type": "integer", "minimum": 0},
      "share": {"type": "number", "maximum": 0.1},
      "write": {"type": "string", "enum": ["append", "replace", "upsert"], "default": "append"},
      "method": {"type": "string", "enum": ["load", "stream"], "default": "load"},
      "keys": {"type": "array", "items": {"type": "string"}, "minItems": 1},
      "create": {"type": "boolean"},
      "quote": {"type": "string", "maxLength": 1},
      "tables": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
      "rename": {"oneOf": [{"title": "camel or snake", "type": "string", "enum": ["camel", "snake"]},
                           {"title": "a mapping of names", "type": "object", "additionalProperties": {"type": "string"}}]},
      "split": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": false,
                "required": ["by"], "properties": {"by": {"type": "string"}}}}},
    "allOf": [
      {"if": {"properties": {"write": {"const": "upsert"}}, "required": ["write"]},
       "then": {"description": "needed with write: upsert", "required": ["keys"]}},
      {"if": {"properties": {"method": {"const": "stream"}}, "required": ["method"]},
       "then": {"description": "with method: stream", "properties": {"write": {"const": "append"}}}}]
  })");
  return schema;
}

std::vector<std::string> faults_of(const std::string& json) {
  Json::Value config = parse_json_text(json);
  std::vector<std::string> all;
  for (const auto& fault : check_config(schema(), "qreviews", config))
    all.push_back(fault.path + " " + fault.message);
  return all;
}

TEST(ConfigCheck, SaysForEachFaultWhatToWriteInstead) {
  const struct {
    const char* config;
    const char* fault;
  } kCases[] = {
      {R"({})", " account: missing"},
      {R"({"account": ""})", "/account account: must not be empty"},
      {R"({"account": 12})", "/account account: must be text, not 12; put it in quotes"},
      {R"({"account": true})", "/account account: must be text, not true; put it in quotes"},
      {R"({"account": ["a"]})", "/account account: must be text, not a list"},
      {R"({"account": null})", "/account account: must be text, not null"},
      {R"({"account": {"secret": "a"}})",
       "/account account: must be text, not a secret: it is not an option for secrets"},
      {R"({"account": "a", "page_sise": 5})",
       "/page_sise page_sise: unknown option of qreviews, did you mean page_size?"},
      {R"({"account": "a", "zzz": 5})", "/zzz zzz: unknown option of qreviews"},
      {R"({"account": "a", "page_size": 0})",
       "/page_size page_size: must be between 1 and 10000, not 0"},
      {R"({"account": "a", "page_size": 10001})",
       "/page_size page_size: must be between 1 and 10000, not 10001"},
      {R"({"account": "a", "page_size": "500"})",
       "/page_size page_size: must be an integer, not the text \"500\""},
      {R"({"account": "a", "page_size": 1.5})",
       "/page_size page_size: must be an integer, not 1.5"},
      {R"({"account": "a", "page_size": true})",
       "/page_size page_size: must be an integer, not true"},
      {R"({"account": "a", "page_size": 1e30})",
       "/page_size page_size: must be an integer, not 1e+30"},
      {R"({"account": "a", "start": -1})", "/start start: must be at least 0, not -1"},
      {R"({"account": "a", "share": 0.2})", "/share share: must be at most 0.1, not 0.2"},
      {R"({"account": "a", "write": "apend"})",
       "/write write: must be append, replace or upsert, not apend, did you mean append?"},
      {R"({"account": "a", "create": "yes"})",
       "/create create: must be true or false, not the text \"yes\""},
      {R"({"account": "a", "keys": []})", "/keys keys: needs at least 1 entries"},
      {R"({"account": "a", "keys": ["id", 5]})",
       "/keys/1 keys[1]: must be text, not 5; put it in quotes"},
      {R"({"account": "a", "quote": "''"})", "/quote quote: must have at most 1 characters"},
      {R"({"account": "a", "tables": {"responses": ""}})",
       "/tables/responses tables.responses: must not be empty"},
      {R"({"account": "a", "rename": 5})",
       "/rename rename: must be camel or snake or a mapping of names, not 5"},
      {R"({"account": "a", "rename": "camle"})",
       "/rename rename: must be camel or snake, not camle, did you mean camel?"},
      {R"({"account": "a", "rename": {"x": 1}})",
       "/rename/x rename.x: must be text, not 1; put it in quotes"},
      {R"({"account": "a", "split": {"memo": {"bye": "-", "by": "x"}}})",
       "/split/memo/bye split.memo.bye: unknown option of qreviews, did you mean by?"},
      {R"({"account": "a", "write": "upsert"})", " keys: missing, needed with write: upsert"},
      {R"({"account": "a", "method": "stream", "write": "replace"})",
       "/write write: must be append, with method: stream"},
  };
  for (const auto& c : kCases) EXPECT_THAT(faults_of(c.config), ElementsAre(c.fault)) << c.config;
}

TEST(ConfigCheck, ALongTextIsNotRepeated) {
  const std::string text(5000, 'x');
  EXPECT_THAT(faults_of(R"({"account": "a", "page_size": ")" + text + "\"}"),
              ElementsAre("/page_size page_size: must be an integer, not a text of 5000 bytes"));
}

TEST(ConfigCheck, AcceptsWhatTheSchemaAllows) {
  for (const char* config : {
           R"({"account": "a"})",
           R"({"account": "a", "page_size": 10000, "start": 9007199254740993, "share": 0.1})",
           R"({"account": "a", "write": "upsert", "keys": ["id"]})",
           R"({"account": "a", "method": "stream"})",
           R"({"account": "a", "rename": {"x": "y"}})",
           R"({"account": "a", "api_key": {"secret": "k"}})",
       })
    EXPECT_THAT(faults_of(config), ElementsAre()) << config;
}

TEST(ConfigCheck, OptionsOfWhichOnlyOneMayBeGiven) {
  const Json::Value schema = parse_json_text(R"({"type": "object", "additionalProperties": false,
    "properties": {"query": {"type": "string"}, "file": {"type": "string"}, "more": {"type": "object"}},
    "oneOf": [{"title": "query", "required": ["query"]}, {"title": "file", "required": ["file"]},
              {"title": "more", "required": ["more"]}]})");
  const auto faults = [&](const char* text) {
    Json::Value config = parse_json_text(text);
    std::vector<std::string> all;
    for (const auto& fault : check_config(schema, "sql", config))
      all.push_back(fault.path + " " + fault.message);
    return all;
  };
  EXPECT_THAT(faults(R"({"file": "a"})"), ElementsAre());
  EXPECT_THAT(faults("{}"), ElementsAre(" with: needs query or file or more"));
  EXPECT_THAT(faults(R"({"query": "a", "file": "b"})"),
              ElementsAre("/file file: not together with query"));
  EXPECT_THAT(
      faults(R"({"query": "a", "file": 5, "more": {}})"),
      ElementsAre("/file file: must be text, not 5; put it in quotes",
                  "/file file: not together with query", "/more more: not together with query"));
}

TEST(ConfigCheck, OptionsThatExcludeEachOther) {
  const Json::Value schema = parse_json_text(R"({"type": "object",
    "properties": {"tables": {"type": "object"}, "query": {"type": "string"}, "parts": {"type": "integer", "default": 1}},
    "not": {"required": ["tables", "query"]},
    "if": {"properties": {"parts": {"minimum": 2}}, "required": ["parts"]},
    "then": {"description": "which comes whole", "not": {"required": ["query", "parts"]}}})");
  const auto faults = [&](const char* text) {
    Json::Value config = parse_json_text(text);
    std::vector<std::string> all;
    for (const auto& fault : check_config(schema, "x", config))
      all.push_back(fault.path + " " + fault.message);
    return all;
  };
  for (const char* good : {"{}", R"({"tables": {}})", R"({"query": "a"})", R"({"parts": 2})"})
    EXPECT_THAT(faults(good), ElementsAre()) << good;
  EXPECT_THAT(faults(R"({"query": "a", "tables": {}})"),
              ElementsAre("/query query: not together with tables"));
  EXPECT_THAT(faults(R"({"query": "a", "parts": 2})"),
              ElementsAre("/parts parts: not together with query, which comes whole"));
}

TEST(ConfigCheck, ReportsEveryFaultAtOnce) {
  EXPECT_THAT(
      faults_of(R"({"page_size": 0, "write": "x", "pagesize": 1})"),
      ElementsAre("/page_size page_size: must be between 1 and 10000, not 0",
                  "/pagesize pagesize: unknown option of qreviews, did you mean page_size?",
                  "/write write: must be append, replace or upsert, not x", " account: missing"));
}

TEST(ConfigCheck, NeverRepeatsALiteralSecret) {
  for (const char* literal : {R"("hunter2")", "4711", R"(["hunter2"])", R"({"secret": ""})",
                              R"({"secret": "a", "also": "hunter2"})", R"({"value": "hunter2"})"}) {
    EXPECT_THAT(faults_of(std::string(R"({"account": "a", "api_key": )") + literal + "}"),
                ElementsAre("/api_key api_key: must be a reference {secret: NAME}, never the value "
                            "itself"));
  }
}

TEST(ConfigCheck, FillsInDefaults) {
  Json::Value config = parse_json_text(R"({"account": "a", "write": "replace"})");
  EXPECT_TRUE(check_config(schema(), "qreviews", config).empty());
  EXPECT_EQ(config["page_size"].asInt(), 500);
  EXPECT_EQ(config["write"].asString(), "replace");
  EXPECT_FALSE(config.isMember("start"));
}

TEST(ConfigCheck, GivesWordsItDoesNotKnowToTheFullValidator) {
  const Json::Value schema = parse_json_text(
      R"({"type": "object", "properties": {"table": {"type": "string", "pattern": "^[a-z]+$"}}})");
  Json::Value good = parse_json_text(R"({"table": "abc"})");
  Json::Value bad = parse_json_text(R"({"table": "A"})");
  EXPECT_TRUE(check_config(schema, "x", good).empty());
  EXPECT_EQ(check_config(schema, "x", bad).size(), 1u);
}

TEST(ConfigCheck, FindsSecretsWhereverTheyStand) {
  const Json::Value schema = parse_json_text(R"({"properties": {
    "key": {"secret": true},
    "list": {"items": {"properties": {"password": {"secret": true}}}},
    "headers": {"additionalProperties": {"secret": true}},
    "either": {"oneOf": [{"type": "string"}, {"properties": {"token": {"secret": true}}}]}}})");
  const Json::Value config = parse_json_text(R"({
    "key": {"secret": "a"}, "list": [{"password": {"secret": "b"}}],
    "headers": {"X": {"secret": "c"}}, "either": {"token": {"secret": "d"}}})");
  EXPECT_THAT(secrets_in(schema, config), testing::UnorderedElementsAre("a", "b", "c", "d"));
}

}  // namespace
}  // namespace patchbay::host
