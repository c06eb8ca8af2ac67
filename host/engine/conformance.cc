#include "engine/conformance.h"

#include <fstream>
#include <iterator>

#include "loader/plugin_library.h"
#include "manifest/manifest.h"
#include "patchbay/testing/conformance.h"
#include "patchbay/testing/fake_host.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

fs::path find_manifest(const fs::path& library) {
  fs::path beside = library;
  beside.replace_extension(".json");
  fs::path sibling = library.parent_path().parent_path() / "manifests" / beside.filename();
  if (fs::exists(beside)) return beside;
  if (fs::exists(sibling)) return sibling;
  throw Error(Code::kConfig, library.string() + ": has no manifest: neither " + beside.string() +
                                 " nor " + sibling.string() + " is there");
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

ConformanceResult run_conformance(const fs::path& library) {
  const fs::path file = find_manifest(library);
  const Manifest manifest = read_manifest(file, {library.parent_path()});
  ConformanceResult result;
  const bay_plugin* plugin = nullptr;
  try {
    plugin =
        load_plugin({manifest.id, manifest.version, manifest.library}, test::FakeHost::table());
    result.checks.push_back({"note, manifest and tables agree", ""});
  } catch (const Error& error) {
    result.checks.push_back({"note, manifest and tables agree", error.what()});
    return result;
  }
  for (const auto& check : test::run_conformance(*plugin, parse_json_text(read_text(file)))) {
    result.checks.push_back({check.name, check.ok ? "" : check.message});
  }
  return result;
}

}  // namespace patchbay::host
