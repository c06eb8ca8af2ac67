// The rejects of a pipeline: kept with their epochs, looked at, replayed, deleted.
#include "report/json_text.h"
#include "state/state_store.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

constexpr size_t kPendingRejects = 1000;

// As SQL: what the reject's position says of its file.
#define FILE_OF_REJECT \
  "CASE WHEN json_valid(position) THEN coalesce(position ->> 'file', '') ELSE '' END"

// Of committed epochs only: others are read again by themselves. A text that could not be read as a
// record never can.
#define REPLAYABLE " kept = 1 AND code <> 'syntax' AND epoch NOT IN (SELECT epoch FROM epochs)"

// Those of a group, by parameters 1 to 5.
constexpr const char* kOfGroup =
    " node = ?1 AND run = ?2 AND stream = ?3 AND schema = ?4 AND " FILE_OF_REJECT
    " = ?5 AND" REPLAYABLE;

void bind_group(Statement& statement, const RejectGroup& group) {
  statement.bind(1, group.node).bind(2, group.run).bind(3, group.stream).bind(4, group.schema);
  statement.bind(5, group.file);
}

}  // namespace

std::string group_json(const RejectGroup& group) {
  Json::Value json;
  json["node"] = group.node;
  json["run"] = group.run;
  json["stream"] = group.stream;
  json["schema"] = Json::Int64(group.schema);
  json["file"] = group.file;
  return compact_json(json);
}

RejectGroup group_from_json(const std::string& text) {
  const Json::Value json = parse_json_text(text);
  RejectGroup group;
  group.node = json["node"].asString();
  group.run = json["run"].asString();
  group.stream = json["stream"].asString();
  group.schema = json["schema"].asInt64();
  group.file = json["file"].asString();
  return group;
}

// They stay pending until the transaction is committed: it may fail.
void StateStore::put_rejects() {
  for (const auto& r : pending_rejects_) {
    if (!r.schema_json.empty()) {
      db_.prepare("INSERT OR IGNORE INTO reject_schemas (schema) VALUES (?)")
          .bind(1, r.schema_json)
          .run();
    }
    db_.prepare(
           "INSERT INTO rejects (run, lane, epoch, stream, node, code, reason, position, record, "
           "schema, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT no FROM reject_schemas WHERE "
           "schema = ?), 0)")
        .bind(1, r.run)
        .bind(2, r.lane)
        .bind(3, static_cast<int64_t>(r.epoch))
        .bind(4, r.stream)
        .bind(5, r.node)
        .bind(6, r.code)
        .bind(7, r.reason)
        .bind(8, r.position_json)
        .bind(9, r.row_json)
        .bind(10, r.schema_json)
        .run();
  }
  if (PLANTED(rejects_go_with_a_failure)) pending_rejects_.clear();
}

void StateStore::add_reject(const Reject& reject) {
  const Guard lock(mutex_);
  pending_rejects_.push_back(reject);
  if (pending_rejects_.size() < kPendingRejects) return;
  transaction("state.rejects", [&] { put_rejects(); });
  pending_rejects_.clear();
}

int64_t StateStore::clear_rejects(const std::string& run, const std::string& before) {
  const Guard lock(mutex_);
  int64_t n = 0;
  transaction("state.clear_rejects", [&] {
    // Of epochs without an end they are still needed.
    auto gone = db_.prepare(
        "DELETE FROM rejects WHERE (?1 = '' OR run = ?1) AND (?2 = '' OR at < ?2) AND epoch NOT IN "
        "(SELECT epoch FROM epochs) RETURNING 1");
    gone.bind(1, run).bind(2, before);
    while (gone.step()) ++n;
    db_.execute(
        "DELETE FROM reject_schemas WHERE no NOT IN (SELECT schema FROM rejects WHERE schema IS "
        "NOT NULL)");
  });
  return n;
}

void StateStore::rejects(const std::string& run, int64_t id,
                         const std::function<bool(const StoredReject&)>& take) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT id, run, lane, epoch, stream, node, code, reason, position, record, kept, at, "
      "reject_schemas.schema FROM rejects LEFT JOIN reject_schemas ON no = rejects.schema WHERE "
      "(?1 = '' OR run = ?1) AND (?2 = 0 OR id = ?2) ORDER BY id");
  query.bind(1, run).bind(2, id);
  while (query.step()) {
    const StoredReject stored{
        query.integer(0),
        {query.text(1), query.text(2), static_cast<uint64_t>(query.integer(3)), query.text(4),
         query.text(5), query.text(6), query.text(7), query.text(8), query.text(9), query.text(12)},
        query.integer(10) != 0,
        query.text(11)};
    if (!take(stored)) return;
  }
}

std::vector<RejectGroup> StateStore::reject_groups(const std::string& run) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT node, run, stream, coalesce(no, 0), coalesce(reject_schemas.schema, "
      "''), " FILE_OF_REJECT
      " AS file, count(*) FROM rejects LEFT JOIN reject_schemas ON no = "
      "rejects.schema WHERE" REPLAYABLE
      " AND (?1 = '' OR run = ?1) GROUP BY 1, 2, 3, 4, 6 ORDER BY min(id)");
  query.bind(1, run);
  std::vector<RejectGroup> out;
  while (query.step()) {
    out.push_back({query.text(0), query.text(1), query.text(2), query.integer(3), query.text(4),
                   query.text(5), query.integer(6)});
  }
  return out;
}

std::vector<RejectText> StateStore::rejects_of(const RejectGroup& group, int64_t after,
                                               int64_t limit) {
  const Guard lock(mutex_);
  auto query = db_.compile("SELECT id, record FROM rejects WHERE" + std::string(kOfGroup) +
                           " AND id > ?6 ORDER BY id LIMIT ?7");
  bind_group(query, group);
  query.bind(6, after).bind(7, limit);
  std::vector<RejectText> out;
  while (query.step()) out.push_back({query.integer(0), query.text(1)});
  return out;
}

void StateStore::delete_replayed(const SplitState& state) {
  auto gone = db_.compile("DELETE FROM rejects WHERE" + std::string(kOfGroup) + " AND id <= ?6");
  bind_group(gone, group_from_json(state.split));
  gone.bind(6, parse_json_text(state.state_json)["to"].asInt64()).run();
}

}  // namespace patchbay::host
