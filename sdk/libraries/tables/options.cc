#include "patchbay/tables/options.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace patchbay::tables {
namespace {

constexpr std::array<const char*, 4> kModes{"append", "replace", "upsert", "mirror"};

std::optional<WriteMode> find_mode(std::string_view name) {
  const auto* found = std::find(kModes.begin(), kModes.end(), name);
  if (found == kModes.end()) return std::nullopt;
  return static_cast<WriteMode>(found - kModes.begin());
}

// A mirror deletes what the one stream does not have: another stream's rows would be among it.
void require_own_tables(const TableOptions& options, const NamePolicy& policy) {
  for (const auto& [stream, table] : options.tables) {
    for (const auto& [other, its_table] : options.tables) {
      if (stream < other && same_table(policy, table, its_table)) {
        config_error("tables", "with write: mirror the streams " + stream + " and " + other +
                                   " can't share the table " + table +
                                   ": each would delete the other's rows");
      }
    }
  }
}

std::string text_of_max(const Json::Value& deletes) {
  const Json::Value& max = deletes.isObject() ? deletes["max"] : Json::Value::nullSingleton();
  return max.isNull() ? "20%" : max.asString();
}

}  // namespace

std::string name_of(WriteMode mode) { return kModes.at(static_cast<size_t>(mode)); }

WriteMode mode_of(std::string_view name) {
  const auto mode = find_mode(name);
  if (!mode) throw Error(Code::kInternal, "write: there is no mode " + std::string(name));
  return *mode;
}

bool DeleteLimit::allows(int64_t deletes, int64_t rows_before) const {
  if (rows) return deletes <= *rows;
  return static_cast<double>(deletes) <= static_cast<double>(rows_before) * percent / 100;
}

std::string DeleteLimit::text() const {
  if (rows) return std::to_string(*rows);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), percent).ptr;
  return std::string(digits.data(), end) + "%";
}

DeleteLimit DeleteLimit::parse(const std::string& text) {
  const bool share = text.ends_with('%');
  const char* end = text.data() + text.size() - (share ? 1 : 0);
  DeleteLimit out;
  int64_t rows = 0;
  const auto [at, error] = share ? std::from_chars(text.data(), end, out.percent)
                                 : std::from_chars(text.data(), end, rows);
  if (error != std::errc() || at != end || rows < 0 || !(out.percent >= 0 && out.percent <= 100))
    config_error("deletes", "max must be a number of rows or a percentage such as \"20%\"");
  if (!share) out.rows = rows;
  return out;
}

const std::string& TableOptions::table_of(const std::string& stream) const {
  const auto found = tables.find(stream);
  return found == tables.end() ? stream : found->second;
}

bool TableOptions::is_only_stream(const NamePolicy& policy, const std::string& stream) const {
  const std::string& table = table_of(stream);
  const bool shared = std::any_of(tables.begin(), tables.end(), [&](const auto& one) {
    return one.first != stream && same_table(policy, one.second, table);
  });
  // A stream that `tables` does not name goes into the table of its own name.
  return !shared && (same_table(policy, stream, table) || tables.contains(table));
}

TableOptions parse_table_options(const Config& config, const NamePolicy& policy) {
  TableOptions out;
  const auto mode = find_mode(config.get_or<std::string>("write", "append"));
  if (!mode) config_error("write", "must be append, replace, upsert or mirror");
  out.write = *mode;
  out.keys = config.get_or<std::vector<std::string>>("keys", {});
  out.create = config.get_or("create", true);
  out.may_empty = config.get_or<std::string>("empty", "refuse") == "allow";
  out.recreate = config.get_or("recreate", false);
  out.deletes = DeleteLimit::parse(text_of_max(config.at("deletes")));
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) out.tables[stream] = tables[stream].asString();
  const std::string write = name_of(out.write);
  if (out.has_keys() && out.keys.empty())
    config_error("keys", "missing, needed with write: " + write);
  if (out.recreate && out.write != WriteMode::kReplace)
    config_error("recreate", "is for write: replace, and write is " + write);
  if (out.write == WriteMode::kMirror) require_own_tables(out, policy);
  return out;
}

void require_keys(const TableOptions& options, const NamePolicy& policy, const Schema& stream) {
  for (const auto& key : options.keys) {
    const bool there =
        std::any_of(stream.fields.begin(), stream.fields.end(),
                    [&](const Field& field) { return same_column(policy, field.name, key); });
    if (!there) config_error("keys", "stream " + stream.name + " has no field " + key);
  }
}

}  // namespace patchbay::tables
