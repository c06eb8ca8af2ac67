// Takes secrets out of everything that leaves the process.
#pragma once

#include <json/value.h>

#include <array>
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
  // Every occurrence becomes ***; where two overlap, both go. A secret of fewer than 4 characters
  // counts as a whole word only.
  std::string redact(std::string_view text) const;
  // The strings of a document, whose structure and numbers stay: a short secret must not break what
  // scripts read. Member names lose only what is too long to be a word of the report's own.
  Json::Value redact_json(const Json::Value& value) const;

 private:
  std::string redact(std::string_view text, size_t shortest) const;
  void add(std::string form);

  mutable std::shared_mutex mutex_;
  std::array<std::vector<std::string>, 256> forms_;  // by first byte, longest first
  bool any_ = false;
};

}  // namespace patchbay::host
