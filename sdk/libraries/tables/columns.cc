#include "patchbay/tables/columns.h"

#include <algorithm>

#include "patchbay/error.h"

namespace patchbay::tables {
namespace {

using Kind = SchemaStep::Kind;

constexpr const char* kAnew = "set recreate: true, which makes the table anew";

const Column* find_column(const NamePolicy& policy, const std::vector<Column>& columns,
                          const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& column) {
    return same_column(policy, column.name, name);
  });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const Schema& stream) {
  std::vector<std::string> out;
  for (const auto& field : stream.fields) out.push_back(field.name);
  return out;
}

// The first field that its column can't take, with the reason.
std::optional<std::string> first_misfit(const NamePolicy& policy, const Schema& stream,
                                        const std::string& table,
                                        const std::vector<Column>& columns, const Misfit& misfit) {
  for (const auto& field : stream.fields) {
    const Column* column = find_column(policy, columns, field.name);
    if (!column) continue;
    const auto why = column->computed ? "is a column that table " + table + " computes itself"
                                      : misfit(field, *column);
    if (why) return field.name + ": " + *why;
  }
  return std::nullopt;
}

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 10;
  const size_t shown = std::min(names.size(), kMost);
  std::string out;
  for (size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size() && i > 0;
    out += (i == 0 ? "" : last ? " and " : ", ") + names[i];
  }
  if (names.size() > kMost) out += " and " + std::to_string(names.size() - kMost) + " more";
  return out;
}

std::vector<std::string> columns_beyond(const NamePolicy& policy,
                                        const std::vector<std::string>& fields,
                                        const std::vector<Column>& columns) {
  std::vector<std::string> out;
  for (const auto& column : columns) {
    const bool taken = std::any_of(fields.begin(), fields.end(), [&](const std::string& field) {
      return same_column(policy, field, column.name);
    });
    if (!taken && !column.computed && !column.fills_itself) out.push_back(column.name);
  }
  return out;
}

void require_none_beyond(const std::string& table, const std::vector<std::string>& beyond) {
  if (beyond.empty()) return;
  throw Error(Code::kSchema,
              "table " + table + ": has the column" + (beyond.size() == 1 ? " " : "s ") +
                  listed(beyond) +
                  ", which the stream lacks, so that write: replace would half "
                  "keep the table; add the field with `fields`, drop the column, or " +
                  kAnew + " with the stream's columns and types");
}

std::vector<SchemaStep> plan_table(const TableOptions& options, const NamePolicy& policy,
                                   const Schema& stream,
                                   const std::optional<std::vector<Column>>& columns,
                                   const std::string& place, const Misfit& misfit) {
  require_names(policy, stream.fields);
  require_keys(options, policy, stream);
  const std::string& table = options.table_of(stream.name);
  if (!columns) {
    if (options.create) return {{Kind::kCreateTable, table}};
    throw Error(Code::kNotFound, "table " + table + ": is not in " + place +
                                     ", and create is false; make it, or set create: true");
  }
  std::vector<SchemaStep> steps;
  for (const auto& field : stream.fields) {
    if (!find_column(policy, *columns, field.name))
      steps.push_back({Kind::kAddColumn, table, field.name, field.type});
  }
  const auto wrong = first_misfit(policy, stream, table, *columns, misfit);
  const auto beyond = columns_beyond(policy, names_of(stream), *columns);
  const bool replaces = options.write == WriteMode::kReplace;
  if (options.recreate && (wrong || !steps.empty() || !beyond.empty()))
    return {{Kind::kRecreateTable, table}};
  if (wrong) {
    throw Error(Code::kSchema, *wrong + "; cast or drop it with `fields`, change the table" +
                                   (replaces ? std::string(", or ") + kAnew : ""));
  }
  // A later announcement of the stream may bring the columns beyond: alone they are judged when the
  // epoch's fields are known. Together with new ones it is another table.
  if (replaces && !steps.empty()) require_none_beyond(table, beyond);
  return steps;
}

std::vector<FieldColumn> match_columns(const NamePolicy& policy, const Schema& stream,
                                       const std::string& table, const std::vector<Column>& columns,
                                       const DeclinedFields& declined) {
  std::vector<FieldColumn> out;
  for (size_t i = 0; i < stream.fields.size(); ++i) {
    const std::string& name = stream.fields[i].name;
    if (const Column* column = find_column(policy, columns, name)) {
      out.push_back({i, static_cast<size_t>(column - columns.data())});
    } else if (!declined.holds(stream.name, name)) {
      throw Error(Code::kSchema, name + ": table " + table +
                                     " has no such column any more; it was dropped or renamed "
                                     "since the run looked. Run again, or put it back");
    }
  }
  return out;
}

}  // namespace patchbay::tables
