// What every plugin must keep to, checked without its system.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "patchbay/abi.h"

namespace patchbay::test {

struct CheckResult {
  std::string name;  // "source counter: refuses broken JSON"
  bool ok;
  std::string message;   // what happened instead; empty where ok
  std::string why;       // why the rule is there
  std::string contract;  // where it is written down: "abi.h: bay_reader_vt.checkpoint"
};

// `plugin` is what its entry returned for FakeHost::table(); `manifest` is the parsed file.
//
// Every component is created with values from its manifest's schema. One that has "conformance" in
// its manifest and needs no system is also driven with data: a transform, or what has ${tmp} in its
// config, or says "self_contained": true.
//   "config"     its options; ${tmp} is a fresh folder per check. Transforms: may be {}
//   "files"      sources: {"path below ${tmp}": "text"} that the source finds there
//   "objects"    transforms and sinks that take files: {"key": "text"}; default: small CSV and JSON
//   "read_back"  sinks: {"component": NAME, "config": {..}} of a source of the same plugin that
//                reads what the sink made visible
// Rows come as the stream `people`: id int64, name utf8, amount float64; keys id.
// `on_check` is told the name of each check before it begins: whoever catches a crash may want it.
std::vector<CheckResult> run_conformance(const bay_plugin& plugin, const Json::Value& manifest,
                                         std::function<void(const std::string&)> on_check = {});

// The file itself: its symbols, flags and paths. Runs none of its code.
std::vector<CheckResult> check_file(const std::filesystem::path& library);

}  // namespace patchbay::test
