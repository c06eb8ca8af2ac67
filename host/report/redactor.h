// Takes secrets out of everything that leaves the process.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

// Thread-safe. Knows each secret also as it looks in URLs, JSON and base64.
class Redactor {
 public:
  void learn(std::string_view secret);
  std::string redact(std::string_view text) const;  // every occurrence becomes ***

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::string> forms_;  // longest first
};

}  // namespace patchbay::host
