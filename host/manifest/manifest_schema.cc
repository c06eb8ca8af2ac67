#include "manifest/manifest_schema.h"

#include <json/reader.h>

#include <sstream>

namespace patchbay::host {
namespace {

constexpr const char* kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["id", "version", "abi", "library", "summary", "components"],
  "properties": {
    "id": {"type": "string", "minLength": 1},
    "version": {"type": "string", "minLength": 1},
    "abi": {"type": "object", "additionalProperties": false, "required": ["major", "minor"],
            "properties": {"major": {"type": "integer", "minimum": 1}, "minor": {"type": "integer", "minimum": 0}}},
    "library": {"type": "string", "minLength": 1},
    "summary": {"type": "string"},
    "documentation": {"type": "string"},
    "license": {"type": "string"},
    "homepage": {"type": "string"},
    "uris": {"type": "object", "additionalProperties": false, "properties": {
      "schemes": {"type": "array", "items": {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*$"}},
      "endings": {"type": "object", "additionalProperties": {"type": "object"}},
      "options": {"type": "object", "additionalProperties": {"type": "string"}},
      "objects": {"type": "boolean"},
      "wrappers": {"type": "object", "additionalProperties": {"type": "object"}}
    }},
    "components": {"type": "array", "minItems": 1, "items": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "kind"],
      "properties": {
        "name": {"type": "string", "minLength": 1},
        "kind": {"enum": ["source", "transform", "sink"]},
        "summary": {"type": "string"},
        "delivery": {"type": ["string", "object"]},
        "folds_case": {"type": "boolean"},
        "references": {"type": ["string", "object"], "additionalProperties": {"type": "string"}},
        "replayable": {"type": "boolean"},
        "checkpoint": {"enum": ["stream", "at_end"]},
        "inputs": {"enum": ["one", "many"]},
        "concurrency": {"type": "integer", "minimum": 1},
        "config": {"type": "object"},
        "streams": {"type": "array", "items": {"type": "string"}},
        "state": {"type": "object"},
        "tables_option": {"type": "string"},
        "target": {"type": "array", "items": {"type": "string"}},
        "takes": {"type": ["string", "object"], "additionalProperties": {"enum": ["rows", "objects", "any"]},
                  "properties": {"option": {"type": "string"}}},
        "gives": {"type": ["string", "object"], "additionalProperties": {"enum": ["rows", "objects", "any"]},
                  "properties": {"option": {"type": "string"}}},
        "incremental": {"type": ["boolean", "object"], "required": ["option"],
                        "properties": {"option": {"type": "string"}}, "additionalProperties": {"type": "boolean"}},
        "prepared": {"enum": ["durable", "session", "on_request"]},
        "commits": {"enum": ["together", "alone"]},
        "names": {"type": "string"},
        "needs": {"type": ["string", "object"], "additionalProperties": {"enum": ["rows", "all"]},
                  "properties": {"option": {"type": "string"}}},
        "metrics": {"type": "array"},
        "conformance": {"type": "object"}
      }
    }}
  }
})json";

Json::Value parse() {
  Json::Value root;
  std::istringstream in(kSchema);
  in >> root;
  return root;
}

}  // namespace

const Json::Value& manifest_schema() {
  static const Json::Value schema = parse();
  return schema;
}

}  // namespace patchbay::host
