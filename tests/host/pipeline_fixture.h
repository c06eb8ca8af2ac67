// A catalog of made-up plugins and pipelines from text, for the tests of pipeline files.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipeline/parse_pipeline.h"
#include "temporary_folder.h"

namespace patchbay::host {

class PipelineFixture : public testing::Test {
 protected:
  PipelineFixture() {
    setenv("PATCHBAY_SECRET_KEY", "hunter2", 1);
    unsetenv("PATCHBAY_SECRET_GONE");
    setenv("PATCHBAY_SECRET_EMPTY", "", 1);
    add("survey",
        R"({"name": "survey", "kind": "source", "replayable": true, "streams": ["responses", "people"],
      "config": {"type": "object", "additionalProperties": false, "required": ["key"], "properties": {
        "key": {"secret": true}, "page_size": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 500},
        "query": {"type": "string"}, "replay": {"type": "boolean"}}}})");
    add("store",
        R"({"name": "store", "kind": "source", "replayable": false, "config": {"type": "object"}},
      {"name": "store", "kind": "sink", "tables_option": "tables", "target": ["path"],
       "delivery": {"option": "method", "load": "transactional", "stream": "at_least_once"},
       "config": {"type": "object", "additionalProperties": false, "required": ["path"], "properties": {
         "path": {"type": "string"}, "tables": {"type": "object", "additionalProperties": {"type": "string"}},
         "method": {"enum": ["load", "stream"], "default": "load"},
         "write": {"enum": ["append", "upsert"], "default": "append"}, "keys": {"type": "array"}},
         "if": {"properties": {"write": {"const": "upsert"}}, "required": ["write"]},
         "then": {"description": "needed with write: upsert", "required": ["keys"]}}})");
    add("text",
        R"({"name": "decode", "kind": "transform"}, {"name": "encode", "kind": "transform"})");
    add("map", R"({"name": "map", "kind": "transform", "config": {"type": "object"}})");
    add("join", R"({"name": "join", "kind": "transform", "inputs": "many"})");
    folder_.write("plugins/broken.json", "{");
    environment_.secrets = default_secret_providers();
    environment_.local = true;
    environment_.name = "local";
    options_.clock = {"01RUN",
                      std::chrono::sys_days(std::chrono::January / 2 / 2026) +
                          std::chrono::hours(23) + std::chrono::minutes(30),
                      "UTC"};
  }

  void add(const std::string& id, const std::string& components) {
    folder_.write("plugins/" + id + ".so", "");
    folder_.write("plugins/" + id + ".json",
                  "{\"id\": \"" + id +
                      "\", \"version\": \"1.2.0\", \"abi\": {\"major\": 1, \"minor\": 0}, " +
                      "\"library\": \"" + id + ".so\", \"summary\": \"s\", \"components\": [" +
                      components + "]}");
  }

  // The name that faults begin with is cut off them.
  std::string file(const std::string& text, const std::string& name = "p.yaml") {
    return folder_.write(name, text).string();
  }

  Pipeline parse(const std::string& text, const std::string& name = "p.yaml") {
    const Catalog catalog({{folder_.path() / "plugins"}, {}});
    // The pipeline's nodes keep the manifests alive, not the catalog.
    return parse_pipeline(file(text, name), environment_, catalog, options_);
  }

  std::vector<std::string> faults(const std::string& text, const std::string& name = "p.yaml") {
    std::vector<std::string> all;
    try {
      parse(text, name);
    } catch (const Faults& faults) {
      const std::string prefix = (folder_.path() / name).string() + ":";
      for (const auto& fault : faults.all()) {
        const std::string text = fault.text();
        all.push_back(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
      }
    }
    return all;
  }

  TemporaryFolder folder_;
  Environment environment_;
  ParseOptions options_;
};

}  // namespace patchbay::host
