// The options that every sink with tables has, spelled and judged alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/config.h"
#include "patchbay/tables/names.h"

namespace patchbay::tables {

// append: each row once. replace: the table holds exactly the rows of the epoch. upsert: of rows
// that are there the stream's columns change, others are added. mirror: upsert, and what a complete
// read did not have is deleted.
enum class WriteMode { kAppend, kReplace, kUpsert, kMirror };

// As the option `write` spells it.
std::string name_of(WriteMode mode);
// Throws kInternal for a text that is no mode.
WriteMode mode_of(std::string_view name);

// `deletes: {max: ..}`: how many of a table's rows one epoch of mirror may delete.
struct DeleteLimit {
  // Where the option is a number; otherwise `percent` counts.
  std::optional<int64_t> rows;
  double percent = 20;

  bool allows(int64_t deletes, int64_t rows_before) const;
  // As the option spells it: "20%", "500".
  std::string text() const;
  // Throws kConfig, naming `deletes`, for what is neither a number nor a percentage.
  static DeleteLimit parse(const std::string& text);
};

struct TableOptions {
  WriteMode write = WriteMode::kAppend;
  std::vector<std::string> keys;
  std::map<std::string, std::string> tables;
  bool create = true;
  // `empty: allow`: an epoch without rows may empty a table.
  bool may_empty = false;
  bool recreate = false;
  DeleteLimit deletes;

  // upsert and mirror.
  bool has_keys() const { return write == WriteMode::kUpsert || write == WriteMode::kMirror; }
  // replace and mirror: the epoch decides what the table holds, so one lane alone may write it.
  bool owns_table() const { return write == WriteMode::kReplace || write == WriteMode::kMirror; }
  const std::string& table_of(const std::string& stream) const;
  // No other stream of this sink can go into the table of `stream`.
  bool is_only_stream(const NamePolicy& policy, const std::string& stream) const;
};

// Called once, in the component's constructor. Throws kConfig where options contradict each other.
TableOptions parse_table_options(const Config& config, const NamePolicy& policy);

// Throws kConfig, naming the option, where the stream lacks one of the keys.
void require_keys(const TableOptions& options, const NamePolicy& policy, const Schema& stream);

}  // namespace patchbay::tables
