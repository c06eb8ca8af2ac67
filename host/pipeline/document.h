// A YAML or JSON file as values with positions.
#pragma once

#include <json/value.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "pipeline/fault.h"

namespace patchbay::host {

struct Document {
  std::string file;
  Json::Value root;
  std::map<std::string, Position>
      positions;  // by JSON pointer; of a mapping's keys under the pointer of the value

  // `nodes` once more, where ${run.id} and what else differs from run to run stays as written.
  Json::Value literal_nodes;

  // Values that hold an unknown variable: nothing more can be said of them.
  std::set<std::string> unknown;

  Position at(const std::string& pointer) const;  // the nearest enclosing position
};

inline constexpr size_t kMaxDocumentBytes = 16 << 20;
inline constexpr size_t kMaxDocumentValues = 200'000;
inline constexpr size_t kMaxDocumentDepth = 64;
inline constexpr size_t kMaxExpandedBytes = 64 << 20;

// Throws Faults for anything that is no single document: syntax, duplicate keys, too deep, too many
// values or bytes (aliases count each time they are used), text that is no UTF-8.
Document parse_document(const std::string& file, std::string_view text);

// Throws Faults at the first byte that is no UTF-8.
void check_utf8(const std::string& file, std::string_view text);
std::string join_surrogates(std::string_view text);

// A scalar without quotes: null, true, false, a number or text.
Json::Value plain_scalar(const std::string& text);

// Reads a file, or standard input for "-". Throws Error kConfig where it cannot be read or is over
// 16 MiB, before reading more than that.
std::string read_document_text(const std::string& file);

}  // namespace patchbay::host
