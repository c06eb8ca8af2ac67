#include "engine/conformance.h"

#include <fstream>
#include <iterator>
#include <optional>

#include "loader/crash_guard.h"
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

constexpr const char* kAgree = "note, manifest and tables agree";
constexpr const char* kAgreeWhy = "the host trusts the note and the manifest before it runs code";
constexpr const char* kAgreeContract = "abi.h: BAY_PLUGIN_NOTE, bay_plugin";

void add(ConformanceResult& result, const std::vector<test::CheckResult>& checks) {
  for (const auto& check : checks)
    result.checks.push_back({check.name, check.ok ? "" : check.message, check.why, check.contract});
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
    result.checks.push_back({kAgree, "", kAgreeWhy, kAgreeContract});
  } catch (const Error& error) {
    result.checks.push_back({kAgree, error.what(), kAgreeWhy, kAgreeContract});
    return result;
  }
  add(result, test::check_file(library));
  std::string at;
  std::optional<CrashGuard> guard;
  add(result, test::run_conformance(*plugin, parse_json_text(read_text(file)),
                                    [&](const std::string& check) {
                                      guard.reset();
                                      at = "the check: " + check;
                                      guard.emplace(CrashSite{manifest.id, "", at});
                                    }));
  return result;
}

}  // namespace patchbay::host
