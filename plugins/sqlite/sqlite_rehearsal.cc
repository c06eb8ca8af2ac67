#include "sqlite_rehearsal.h"

#include <json/value.h>

#include <algorithm>

#include "patchbay/json_text.h"
#include "patchbay/json_value.h"
#include "patchbay/tables/words.h"
#include "sqlite_move.h"

namespace patchbay {
namespace {

using tables::TableGroup;
using tables::TableToken;

// How many rows one pass refuses: their numbers are kept until it has been undone.
constexpr size_t kMostInAPass = 1'000'000;

struct StagedRow {
  std::string json;
  std::vector<std::string> texts;  // its values, as a message may repeat them
};

StagedRow read_row(Database& database, const TableToken& token, int64_t row) {
  auto query =
      database.compile("SELECT " + list_of(token.columns) + " FROM " +
                       quote_identifier(token.stage) + " WHERE " + row_name_of(token) + " = ?");
  query.bind(1, row).step();
  StagedRow out;
  Json::Value record(Json::objectValue);
  for (int i = 0; i < query.columns(); ++i) {
    Json::Value& value = record[query.name(i)];
    if (query.is_null(i)) continue;
    if (query.type(i) == SQLITE_INTEGER) {
      value = Json::Int64(query.integer(i));
    } else if (query.type(i) == SQLITE_FLOAT) {
      value = query.real(i);
    } else {
      value = query.type(i) == SQLITE_BLOB ? base64(query.bytes(i)) : query.text(i);
    }
    if (!value.asString().empty()) out.texts.push_back(value.asString());
  }
  out.json = write_json(record);
  return out;
}

// The tables that an epoch fills before the token's rows come, and the token's own as the last. A
// trigger may look into any of them.
std::vector<TableGroup> groups_until(Database& database, const std::vector<TableToken>& earlier,
                                     const TableToken& token) {
  std::vector<TableToken> tokens;
  const bool all = has_triggers(database, token.table);
  for (const auto& one : earlier) {
    if (all || tables::same_table(kSqliteNames, one.table, token.table)) tokens.push_back(one);
  }
  tokens.push_back(token);
  auto groups = tables::group_by_table(kSqliteNames, std::move(tokens));
  const auto own = std::find_if(groups.begin(), groups.end(), [&](const TableGroup& group) {
    return tables::same_table(kSqliteNames, group.table(), token.table);
  });
  std::rotate(own, own + 1, groups.end());
  return groups;
}

void drop_rows(Database& database, const TableToken& token, const std::vector<int64_t>& rows) {
  Transaction transaction(database);
  auto drop = database.compile("DELETE FROM " + quote_identifier(token.stage) + " WHERE " +
                               row_name_of(token) + " = ?");
  for (const int64_t row : rows) {
    drop.bind(1, row).run();
    drop.reset();
  }
  transaction.commit();
}

}  // namespace

int64_t rehearse(Call& call, Database& database, const std::vector<TableToken>& earlier,
                 const TableToken& token, const Schema& stream) {
  if (!may_refuse(database, token.table) && !token.recreate) return 0;
  const auto groups = groups_until(database, earlier, token);
  int64_t refused = 0;
  for (bool whole = false; !whole;) {
    std::vector<int64_t> rows;
    const RefuseRow refuse = [&](int64_t row, const std::string& why) {
      const StagedRow staged = read_row(database, token, row);
      const std::string words = why.substr(database.file().size() + 2);
      call.reject_record(
          {stream.name, "constraint", tables::without_values(words, stream, staged.texts), ""},
          staged.json);
      rows.push_back(row);
      return rows.size() < kMostInAPass;
    };
    {
      const Transaction undone(database);
      for (const auto& group : groups) {
        const bool own = &group == &groups.back();
        whole = TableMove(database, group).run(call, own ? refuse : RefuseRow());
      }
    }
    if (rows.empty()) return refused;
    drop_rows(database, token, rows);
    refused += static_cast<int64_t>(rows.size());
    // An older version of a key counts once the newer one is refused.
    whole = whole && token.keys.empty();
  }
  return refused;
}

}  // namespace patchbay
