#include "patchbay/tables/tokens.h"

#include <algorithm>
#include <map>

#include "patchbay/json_value.h"

namespace patchbay::tables {
namespace {

Json::Value list_of(const std::vector<std::string>& names) {
  Json::Value out(Json::arrayValue);
  for (const auto& name : names) out.append(name);
  return out;
}

std::vector<std::string> strings_of(const Json::Value& list) {
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(one.asString());
  return out;
}

std::string counted(int64_t rows) { return std::to_string(rows) + (rows == 1 ? " row" : " rows"); }

}  // namespace

std::string TableToken::text() const {
  Json::Value out;
  out["stream"] = stream;
  out["table"] = table;
  out["stage"] = stage;
  out["write"] = name_of(write);
  out["keys"] = list_of(keys);
  out["columns"] = list_of(columns);
  for (const auto& type : types) out["types"].append(type_name(type));
  out["rows"] = Json::Int64(rows);
  out["complete"] = complete;
  out["may_empty"] = may_empty;
  out["recreate"] = recreate;
  if (write == WriteMode::kMirror) out["deletes"] = deletes.text();
  if (!more.empty()) out["more"] = more;
  return write_json(out);
}

// What a token of an older version lacks is as it was then: it may empty a table.
TableToken TableToken::parse(std::string_view text) {
  const Json::Value in = parse_json(text);
  TableToken out;
  out.stream = in["stream"].asString();
  out.table = in["table"].asString();
  out.stage = in.get("stage", in["staging"]).asString();
  out.write = mode_of(in["write"].asString());
  out.keys = strings_of(in["keys"]);
  out.columns = strings_of(in["columns"]);
  for (const auto& type : in["types"]) out.types.push_back(parse_type(type.asString()));
  out.rows = in["rows"].asInt64();
  out.complete = in["complete"].asBool();
  out.may_empty = in.get("may_empty", true).asBool();
  out.recreate = in["recreate"].asBool();
  if (in.isMember("deletes")) out.deletes = DeleteLimit::parse(in["deletes"].asString());
  if (in.isMember("more")) out.more = in["more"];
  return out;
}

TableToken token_of(const TableOptions& options, const std::string& stream) {
  TableToken out;
  out.stream = stream;
  out.table = options.table_of(stream);
  out.write = options.write;
  out.may_empty = options.may_empty;
  out.recreate = options.recreate;
  out.deletes = options.deletes;
  return out;
}

int64_t TableGroup::rows() const {
  int64_t out = 0;
  for (const auto& token : tokens) out += token.rows;
  return out;
}

bool TableGroup::complete() const {
  std::map<std::string, bool> streams;
  for (const auto& token : tokens) streams[token.stream] = token.complete;
  return std::all_of(streams.begin(), streams.end(), [](const auto& one) { return one.second; });
}

bool TableGroup::recreate() const {
  return std::any_of(tokens.begin(), tokens.end(), [](const auto& t) { return t.recreate; });
}

std::vector<std::string> TableGroup::columns(const NamePolicy& policy) const {
  std::vector<std::string> out;
  for (const auto& token : tokens) {
    for (const auto& column : token.columns) {
      const bool known = std::any_of(out.begin(), out.end(), [&](const std::string& one) {
        return same_column(policy, one, column);
      });
      if (!known) out.push_back(column);
    }
  }
  return out;
}

std::vector<TableGroup> group_by_table(const NamePolicy& policy, std::vector<TableToken> tokens) {
  std::vector<TableGroup> out;
  for (auto& token : tokens) {
    const auto found = std::find_if(out.begin(), out.end(), [&](const TableGroup& group) {
      return same_table(policy, group.table(), token.table);
    });
    TableGroup& group = found == out.end() ? out.emplace_back() : *found;
    group.tokens.push_back(std::move(token));
  }
  return out;
}

std::vector<TableGroup> parse_groups(const NamePolicy& policy, std::span<const std::string> texts) {
  std::vector<TableToken> tokens;
  for (const auto& text : texts) tokens.push_back(TableToken::parse(text));
  return group_by_table(policy, std::move(tokens));
}

void require_rows(const TableGroup& group, int64_t rows_before) {
  const bool owned = group.write() == WriteMode::kReplace || group.write() == WriteMode::kMirror;
  const bool may = std::all_of(group.tokens.begin(), group.tokens.end(),
                               [](const TableToken& token) { return token.may_empty; });
  if (!owned || may || rows_before == 0 || group.rows() > 0) return;
  throw Error(Code::kData, "table " + group.table() + ": has " + counted(rows_before) +
                               ", and the stream " + group.tokens[0].stream +
                               " has none, so that write: " + name_of(group.write()) +
                               " would empty it; set empty: allow if that is right");
}

void require_few_deletes(const TableGroup& group, int64_t deletes, int64_t rows_before) {
  const DeleteLimit& limit = group.tokens[0].deletes;
  if (limit.allows(deletes, rows_before)) return;
  throw Error(Code::kData, "table " + group.table() + ": has " + counted(rows_before) + ", and " +
                               std::to_string(deletes) +
                               " of them are not in the stream any more; deletes allows at most " +
                               limit.text() + ". Set deletes: {max: ..} if that is right");
}

const std::vector<TableToken>& PreparedTokens::of(const std::string& txn) {
  if (txn != txn_) tokens_.clear();
  txn_ = txn;
  return tokens_;
}

void PreparedTokens::add(const std::string& txn, TableToken token) {
  of(txn);
  tokens_.push_back(std::move(token));
}

TableGroup PreparedTokens::group_with(const NamePolicy& policy, const std::string& txn,
                                      const TableToken& token) {
  TableGroup out;
  for (const auto& one : of(txn)) {
    if (same_table(policy, one.table, token.table)) out.tokens.push_back(one);
  }
  out.tokens.push_back(token);
  return out;
}

bool is_last_of_table(const TableOptions& options, const NamePolicy& policy,
                      const std::string& stream, const Epoch& epoch) {
  return options.is_only_stream(policy, stream) && (epoch.scope.empty() || epoch.complete);
}

}  // namespace patchbay::tables
