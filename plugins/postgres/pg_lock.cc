#include "pg_lock.h"

#include <poll.h>

#include <map>

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::ServerError;

constexpr const char* kLockNotAvailable = "55P03";
constexpr int kPause = 200;  // ms between two requests
constexpr auto kBetweenWords = std::chrono::seconds(60);
// Another lane's session of this process ends with its epoch; longer, and they wait for each other.
constexpr auto kOwnSession = std::chrono::minutes(2);

// https://www.postgresql.org/docs/15/explicit-locking.html, table 13.2
const std::map<std::string, std::string> kConflicts{
    {"ACCESS SHARE", "{AccessExclusiveLock}"},
    {"ROW EXCLUSIVE", "{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}"},
    {"SHARE UPDATE EXCLUSIVE",
     "{ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
     "AccessExclusiveLock}"},
    {"SHARE ROW EXCLUSIVE",
     "{RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
     "AccessExclusiveLock}"},
    {"ACCESS EXCLUSIVE",
     "{AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,"
     "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}"}};

const char kBlockers[] =
    "SELECT l.pid, coalesce(s.application_name, ''), coalesce(left(s.query, 200), ''),"
    "  coalesce(s.state, ''), coalesce((SELECT gid FROM pg_prepared_xacts p WHERE"
    "   l.virtualtransaction = '-1/' || p.transaction::text), ''),"
    "  EXISTS (SELECT FROM pg_locks a WHERE a.pid = l.pid AND a.locktype = 'advisory'"
    "   AND a.classid = $3::bigint::oid AND a.objid = $4::bigint::oid),"
    "  EXISTS (SELECT FROM pg_locks a WHERE a.pid = l.pid AND a.locktype = 'advisory'"
    "   AND a.classid = $3::bigint::oid AND a.objid = $5::bigint::oid)"
    " FROM pg_locks l LEFT JOIN pg_stat_activity s ON s.pid = l.pid"
    " WHERE l.locktype = 'relation' AND l.granted AND l.mode = ANY ($2::text[])"
    "  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    "  AND l.relation IN (SELECT $1::regclass::oid UNION"
    "                     SELECT relid::oid FROM pg_partition_tree($1::regclass))"
    "  AND l.pid IS DISTINCT FROM pg_backend_pid() ORDER BY 6 DESC, 7 DESC, 1 LIMIT 1";

// A statement may hold values of somebody's rows.
std::string without_texts(const std::string& query) {
  std::string out;
  bool inside = false;
  for (const char c : query.substr(0, 100)) {
    if (c == '\'') {
      if (!inside) out += "'***'";
      inside = !inside;
    } else if (!inside) {
      out += c == '\n' || c == '\t' ? ' ' : c;
    }
  }
  return out;
}

struct Blocker {
  std::string words;
  bool own_reader = false, own_writer = false;
};

Blocker blocker_of(Call& call, Connection& connection, const std::string& relation,
                   const std::string& mode) {
  const auto& marks = postgres::process_marks();
  const auto high = static_cast<uint64_t>(marks.reader) >> 32;
  const auto low = [](int64_t mark) {
    return std::to_string(static_cast<uint64_t>(mark) & UINT32_MAX);
  };
  const auto row = connection.run(
      call, kBlockers,
      {relation, kConflicts.at(mode), std::to_string(high), low(marks.reader), low(marks.writer)});
  if (row.rows() == 0) return {"another session"};
  if (row.is_null(0, 0)) return {"the prepared transaction " + row.text(0, 4)};
  const std::string name = row.text(0, 1), query = without_texts(row.text(0, 2));
  return {"process " + row.text(0, 0) + (name.empty() ? "" : " (" + name + ")") +
              (row.text(0, 3).empty() ? "" : ", " + row.text(0, 3)) +
              (query.empty() ? "" : ": " + query),
          row.text(0, 5) == "t", row.text(0, 6) == "t"};
}

}  // namespace

LockWait::LockWait(Context& context, const Connection& connection)
    : context_(context), own_(!connection.sets("lock_timeout")) {}

void LockWait::again(Call& call, Connection& connection, const std::string& relation,
                     const std::string& mode, const ServerError& refused) {
  if (!own_ || refused.fields().sqlstate != kLockNotAvailable) throw refused;
  const Blocker blocker = blocker_of(call, connection, relation, mode);
  if (blocker.own_reader) {
    throw Error(Code::kConfig, "table " + relation +
                                   ": this run reads it, and has to change it before it has read "
                                   "all; write to another table");
  }
  const auto now = Clock::now();
  if (blocker.own_writer && now - began_ > kOwnSession) {
    throw Error(Code::kUnavailable,
                "table " + relation + ": another lane of this run has held it for two minutes");
  }
  if (now >= next_word_) {
    context_.log(BAY_LOG_WARN,
                 "waits for a lock on the table " + relation + ", which " + blocker.words + " has");
    next_word_ = now + kBetweenWords;
  }
  pollfd cancelled{call.cancel_fd(), POLLIN, 0};
  poll(&cancelled, 1, kPause);
  call.throw_if_cancelled();
}

void lock_table(Call& call, Context& context, Connection& connection, const std::string& relation,
                const std::string& mode) {
  LockWait wait(context, connection);
  for (;;) {
    try {
      connection.run(call, std::string("SAVEPOINT patchbay_lock; ") + wait.limit() + "LOCK TABLE " +
                               relation + " IN " + mode + " MODE; " + wait.no_limit() +
                               "RELEASE SAVEPOINT patchbay_lock");
      return;
    } catch (const ServerError& refused) {
      connection.run(call, "ROLLBACK TO SAVEPOINT patchbay_lock; RELEASE SAVEPOINT patchbay_lock");
      wait.again(call, connection, relation, mode, refused);
    }
  }
}

}  // namespace patchbay
