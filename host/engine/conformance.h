// A plugin's built file against the rules of the ABI, without its system.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchbay::host {

struct ConformanceCheck {
  std::string name;      // "bq.create refuses a missing option"
  std::string failure;   // empty = passed
  std::string why;       // the rule is there
  std::string contract;  // where it is written down
};

struct ConformanceResult {
  std::vector<ConformanceCheck> checks;
};

// `library` is FILE.so; its manifest is FILE.json beside it, or in a sibling folder manifests/.
// Components whose manifest has "conformance": {"config": {..}} are also driven with data; ${tmp}
// in it is a fresh folder.
ConformanceResult run_conformance(const std::filesystem::path& library);

}  // namespace patchbay::host
