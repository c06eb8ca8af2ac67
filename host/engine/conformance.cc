#include "engine/conformance.h"

#include <functional>

#include "engine/call.h"
#include "loader/plugin_library.h"
#include "manifest/manifest.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

fs::path find_manifest(const fs::path& library) {
  fs::path beside = library;
  beside.replace_extension(".json");
  const fs::path sibling = library.parent_path().parent_path() / "manifests" / beside.filename();
  if (fs::exists(beside)) return beside;
  if (fs::exists(sibling)) return sibling;
  throw Error(Code::kConfig, library.string() + ": has no manifest: neither " + beside.string() +
                                 " nor " + sibling.string() + " is there");
}

class Suite {
 public:
  void check(const std::string& name, const std::function<void()>& work) {
    ConformanceCheck check{name, ""};
    try {
      work();
    } catch (const std::exception& error) {
      check.failure = error.what();
    }
    result.checks.push_back(std::move(check));
  }
  ConformanceResult result;
};

}  // namespace

ConformanceResult run_conformance(const fs::path& library) {
  Suite suite;
  const Manifest manifest = read_manifest(find_manifest(library), {library.parent_path()});
  suite.check("the note agrees with the manifest",
              [&] { check_plugin_note({manifest.id, manifest.version, manifest.library}); });
  suite.check("loads, with whole tables", [&] {
    load_plugin({manifest.id, manifest.version, manifest.library}, host_table());
  });
  return suite.result;
}

}  // namespace patchbay::host
