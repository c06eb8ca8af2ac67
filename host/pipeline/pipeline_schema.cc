#include "pipeline/pipeline_schema.h"

#include <json/reader.h>

#include <sstream>

#include "pipeline/parse_pipeline.h"

namespace patchbay::host {
namespace {

constexpr const char* kSchema = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "patchbay pipeline",
  "type": "object",
  "additionalProperties": false,
  "required": ["nodes"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 200,
             "description": "Names the pipeline's state, runs and rejects. Default: the file's name."},
    "description": {"type": "string"},
    "variables": {"type": "object", "description": "Defaults of the variables that ${name} stands for."},
    "timezone": {"type": "string", "description": "IANA zone of ${run.date} and ${run.time}."},
    "commit": {"type": "object", "additionalProperties": false,
      "description": "When an epoch ends: whichever comes first.",
      "properties": {
        "rows": {"type": "integer", "minimum": 1, "maximum": 1000000000},
        "bytes": {"type": ["string", "integer"]},
        "every": {"type": ["string", "integer"]}}},
    "on_schema_change": {"enum": ["fail", "ignore", "reject", "evolve"], "default": "fail",
      "description": "What to do about a field that the stream, or a column that the table, did not have."},
    "require": {"enum": ["at_least_once", "exactly_once"], "description": "Refuse to run with less."},
    "rejects": {"type": "object", "additionalProperties": false,
      "properties": {"max": {"type": ["integer", "string"], "minimum": 0, "maximum": 1000000000,
        "description": "Rows, or a share like 5%, that may be refused."}}},
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 256},
    "retry": {"type": "object", "additionalProperties": false, "properties": {
        "attempts": {"type": "integer", "minimum": 1, "maximum": 100},
        "for": {"type": ["string", "integer"]},
        "delay": {"type": ["string", "integer"]}}},
    "nodes": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {
      "type": "object", "additionalProperties": false, "required": ["use"],
      "properties": {
        "use": {"type": "string", "minLength": 1},
        "id": {"type": "string", "minLength": 1, "maxLength": 100},
        "from": {"type": ["string", "array"], "items": {"type": "string"}},
        "with": {"type": ["object", "null"]},
        "streams": {"type": ["array", "object"], "items": {"type": "string"},
          "additionalProperties": {"type": ["object", "null"], "additionalProperties": false,
            "properties": {"rename": {"type": "string", "minLength": 1}}}}}}}
  }
})json";

Json::Value parse() {
  Json::Value root;
  std::istringstream in(kSchema);
  in >> root;
  return root;
}

// What an editor must accept: secrets as references, and a variable in place of any plain value.
Json::Value for_editors(const Json::Value& option) {
  if (!option.isObject()) return option;
  Json::Value out = option;
  if (out["secret"].asBool()) {
    out.removeMember("secret");
    out["type"] = "object";
    out["required"].append("secret");
    out["properties"]["secret"]["type"] = "string";
    out["additionalProperties"] = false;
    return out;
  }
  out.removeMember("secret");
  for (const auto& name : option["properties"].getMemberNames())
    out["properties"][name] = for_editors(option["properties"][name]);
  const std::string type = option["type"].isString() ? option["type"].asString() : "";
  if (type == "object" || type.empty() || (type == "string" && !option.isMember("enum")))
    return out;
  Json::Value either;
  for (const char* word : {"title", "description", "default", "examples"}) {
    if (out.isMember(word)) either[word] = out[word];
  }
  either["anyOf"].append(out);
  Json::Value variable;
  variable["type"] = "string";
  variable["pattern"] = "^[$][{].+[}]$";
  either["anyOf"].append(variable);
  return either;
}

}  // namespace

const Json::Value& pipeline_file_schema() {
  static const Json::Value schema = parse();
  return schema;
}

Json::Value pipeline_schema(const Catalog& catalog) {
  Json::Value schema = pipeline_file_schema();
  Json::Value& node = schema["properties"]["nodes"]["items"];
  Json::Value uses(Json::arrayValue);
  for (const auto& entry : catalog.entries()) {
    if (!entry.manifest) continue;
    Json::Value options(Json::arrayValue);
    for (const auto& component : entry.manifest->components) {
      const std::string full = entry.id + "." + component.name;
      uses.append(full);
      const Json::Value config = for_editors(component.config);
      options.append(config);
      Json::Value rule;
      rule["if"]["properties"]["use"]["const"] = full;
      rule["then"]["properties"]["with"] = config;
      node["allOf"].append(rule);
    }
    uses.append(entry.id);
    Json::Value rule;
    rule["if"]["properties"]["use"]["const"] = entry.id;
    rule["then"]["properties"]["with"]["anyOf"] = options;
    node["allOf"].append(rule);
  }
  node["properties"]["use"]["enum"] = uses;
  return schema;
}

}  // namespace patchbay::host
