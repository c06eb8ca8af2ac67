#include "simulation/plugins.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include "engine/call.h"
#include "patchbay/plugin.h"

namespace patchbay::simulation {
namespace {

namespace fs = std::filesystem;

// A JSON object, without its last brace: "required" options, and what else there is of a component.
std::string options(const std::string& properties, const std::string& required = R"("system")") {
  const std::string needs = required.empty() ? "" : R"("required": [)" + required + "], ";
  return R"("config": {"type": "object", "additionalProperties": false, )" + needs +
         R"("properties": {)" + properties + "}}";
}

const std::string kSystem = R"("system": {"type": "string", "identity": true})";

std::string source(const std::string& name, const std::string& gives,
                   const std::string& incremental, const std::string& more) {
  return R"({"name": ")" + name + R"(", "kind": "source", "gives": ")" + gives +
         R"(", "replayable": true, "incremental": )" + incremental + ", " +
         options(kSystem + more) + "}";
}

std::string transform(const std::string& name, const std::string& more,
                      const std::string& properties, const std::string& required) {
  return R"({"name": ")" + name + R"(", "kind": "transform", )" + more +
         options(properties, required) + "}";
}

std::string table(const std::string& more) {
  return R"({"name": "table", "kind": "sink", "takes": "rows", "delivery": "transactional",
    "tables_option": "tables", "target": ["system"], )" +
         more +
         options(kSystem +
                 R"(, "tables": {"type": "object", "additionalProperties": {"type": "string"}},
      "write": {"enum": ["append", "replace", "upsert"], "default": "append"})") +
         "}";
}

// By id: the components' part of the manifest.
std::map<std::string, std::string> components() {
  const std::string select = R"(, "select": {"enum": ["all", "new"], "default": "all"})";
  const std::string snapshot = R"(, "snapshot": {"type": "boolean"})";
  const std::string by_select = R"({"option": "select", "new": true})";
  return {
      {"simsource", source("cursor", "rows", R"({"option": "cursor"})",
                           R"(, "cursor": {"type": "string", "identity": true})" + snapshot) +
                        ", " + source("feed", "rows", "true", snapshot) + ", " +
                        source("objects", "rows", by_select, select) + ", " +
                        source("blobs", "objects", by_select, select) + ", " +
                        source("tables", "rows", "false", "")},
      {"simtf",
       transform("sift", R"("takes": "rows", "gives": "rows", )",
                 R"("drops": {"type": "boolean"}, "refuses": {"type": "boolean"})", "") +
           ", " +
           transform("join",
                     R"("takes": "rows", "gives": "rows", "inputs": "many", "checkpoint": "at_end",
             "needs": "all", )",
                     "", "") +
           ", " + transform("decode", R"("takes": "objects", "gives": "rows", )", "", "") + ", " +
           transform(
               "encode",
               R"("takes": "rows", "gives": "objects", "checkpoint": "at_end", "names": "key", )",
               R"("key": {"type": "string"})", R"("key")")},
      {"simdb", table("")},
      {"simalone", table(R"("commits": "alone", )")},
      {"simsession", table(R"("prepared": "session", )")},
      {"simsessionalone", table(R"("prepared": "session", "commits": "alone", )")},
      {"simeither", table(R"("prepared": "on_request", )")},
      {"simeitheralone", table(R"("prepared": "on_request", "commits": "alone", )")},
      {"simobj", R"({"name": "objects", "kind": "sink", "takes": "objects", "names": "path",
        "delivery": "transactional", "target": ["system", "path"], )" +
                     options(kSystem + R"(, "path": {"type": "string", "identity": true})",
                             R"("system", "path")") +
                     "}"},
  };
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

// All of them have all components, which go by name: the SDK makes one plugin per library.
const bay_plugin* load_simulated() {
  static const std::vector<const bay_component*> all = [] {
    std::vector<const bay_component*> components = source_components();
    for (const bay_component* transform : transform_components()) components.push_back(transform);
    components.push_back(table_sink());
    components.push_back(objects_sink());
    return components;
  }();
  return make_plugin(host::host_table(), "simulated", "1.0.0", all);
}

const host::Catalog& simulated_catalog() {
  static const std::unique_ptr<const host::Catalog> catalog = [] {
    std::string folder = (fs::temp_directory_path() / "patchbay-simulation-XXXXXX").string();
    if (!mkdtemp(folder.data())) throw Error(Code::kInternal, folder + ": cannot be made");
    for (const auto& [id, text] : components()) {
      write(fs::path(folder) / (id + ".so"), "");
      write(fs::path(folder) / (id + ".json"),
            R"({"id": ")" + id +
                R"(", "version": "1.0.0", "abi": {"major": 1, "minor": 0}, "library": ")" + id +
                R"(.so", "summary": "simulated", "uris": {"objects": )" +
                (id == "simobj" ? "true" : "false") + R"(}, "components": [)" + text + "]}");
    }
    auto made = std::make_unique<const host::Catalog>(host::PluginDirs{{folder}, {}});
    for (const auto& entry : made->entries())
      if (!entry.manifest) throw Error(Code::kInternal, entry.problem);
    fs::remove_all(folder);
    return made;
  }();
  return *catalog;
}

}  // namespace patchbay::simulation
