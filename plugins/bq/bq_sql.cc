#include "bq_sql.h"

#include "bq_names.h"
#include "bq_target.h"

namespace patchbay {
namespace {

using tables::TableGroup;
using tables::TableToken;
using tables::WriteMode;

std::string same_keys(const std::vector<std::string>& keys) {
  std::string out;
  for (const auto& key : keys)
    out += (out.empty() ? "t.`" : " AND t.`") + key + "` = s.`" + key + "`";
  return out;
}

// Of each key's rows the last.
std::string last_versions(const std::string& staging, const TableToken& token) {
  return "(SELECT * FROM " + staging + " WHERE true QUALIFY ROW_NUMBER() OVER (PARTITION BY " +
         bq_columns(token.keys) + " ORDER BY `" + kBqRowNumber + "` DESC) = 1)";
}

std::string path_of(const Json::Value& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "`" : ".`") + name.asString() + "`";
  return out;
}

bool is_key(const TableToken& token, const std::string& column) {
  for (const auto& key : token.keys) {
    if (tables::same_column(kBqNames, key, column)) return true;
  }
  return false;
}

// What the stream has, and nothing else. A token of the version before names whole columns.
std::string assignments(const TableToken& token) {
  std::string out;
  const auto set = [&](const std::string& path) {
    out += (out.empty() ? "" : ", ") + path + " = s." + path;
  };
  if (token.more.isMember("set")) {
    for (const auto& names : token.more["set"]) {
      if (!is_key(token, names[0].asString())) set(path_of(names));
    }
  } else {
    for (const auto& column : token.columns) set("`" + column + "`");
  }
  return out;
}

std::string merge_sql(const std::string& table, const std::string& staging,
                      const TableToken& token) {
  const std::string set = assignments(token);
  return "MERGE " + table + " t USING " + last_versions(staging, token) + " s ON " +
         same_keys(token.keys) + (set.empty() ? "" : " WHEN MATCHED THEN UPDATE SET " + set) +
         " WHEN NOT MATCHED THEN INSERT (" + bq_columns(token.columns) + ") VALUES (" +
         bq_columns(token.columns, "s.") + ");\n";
}

std::string group_sql(const BqPlace& place, const TableGroup& group, int64_t most_deletes) {
  const std::string table = bq_table(place, group.table());
  const bool merges = group.write() == WriteMode::kUpsert || group.write() == WriteMode::kMirror;
  const bool deletes = group.write() == WriteMode::kMirror && group.complete();
  std::string sql;
  if (group.write() == WriteMode::kReplace) sql += "DELETE FROM " + table + " WHERE true;\n";
  if (deletes) {
    sql += "ASSERT (SELECT COUNT(*) " + missing_rows(place, group) +
           ") <= " + std::to_string(most_deletes) + " AS 'more rows than deletes allows';\n" +
           "DELETE " + missing_rows(place, group) + ";\n";
  }
  for (const auto& token : group.tokens) {
    const std::string staging = bq_table(place, token.stage);
    if (merges) {
      sql += merge_sql(table, staging, token);
    } else {
      const std::string columns = bq_columns(token.columns);
      sql += "INSERT INTO " + table + " (" + columns + ") SELECT " + columns + " FROM " + staging +
             ";\n";
    }
  }
  return sql;
}

}  // namespace

std::string bq_columns(const std::vector<std::string>& names, const std::string& prefix) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + prefix + "`" + name + "`";
  return out;
}

std::string missing_rows(const BqPlace& place, const TableGroup& group) {
  std::string out = "FROM " + bq_table(place, group.table()) + " t WHERE ";
  for (size_t i = 0; i < group.tokens.size(); ++i) {
    const TableToken& token = group.tokens[i];
    out += (i == 0 ? "" : " AND ") + std::string("NOT EXISTS (SELECT 1 FROM ") +
           bq_table(place, token.stage) + " s WHERE " + same_keys(token.keys) + ")";
  }
  return out;
}

std::string commit_script(const BqPlace& place, const std::vector<TableGroup>& groups,
                          const std::vector<int64_t>& most_deletes) {
  std::string sql = "BEGIN TRANSACTION;\n";
  for (size_t i = 0; i < groups.size(); ++i) sql += group_sql(place, groups[i], most_deletes[i]);
  return sql + "COMMIT TRANSACTION;";
}

}  // namespace patchbay
