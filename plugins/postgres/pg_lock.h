// Waiting for locks: asked for a short time and again, so that nobody queues behind a request that
// does not come through; and with a word about who has them.
#pragma once

#include <chrono>
#include <string>

#include "patchbay/plugin.h"
#include "patchbay/postgres.h"

namespace patchbay {

class LockWait {
 public:
  LockWait(Context& context, const postgres::Connection& connection);

  // What stands before the statement that locks, inside of its transaction, and behind it. Where
  // the user's connection sets a limit of its own, that one counts.
  const char* limit() const { return own_ ? "SET LOCAL lock_timeout = '2s'; " : ""; }
  const char* no_limit() const { return own_ ? "SET LOCAL lock_timeout = DEFAULT; " : ""; }

  // The server refused the lock of `mode`, such as "ROW EXCLUSIVE", on a relation, "s"."t", and
  // statements can be run again. Returns when it is to be asked for once more. Throws `refused`
  // where that is of no use: kConfig where a reader of this process has the lock, which waits for
  // the rows that it has given to go on.
  void again(Call& call, postgres::Connection& connection, const std::string& relation,
             const std::string& mode, const postgres::ServerError& refused);

 private:
  using Clock = std::chrono::steady_clock;

  Context& context_;
  const bool own_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point next_word_ = began_ + std::chrono::seconds(4);
};

// Within a transaction, which holds the lock until it ends.
void lock_table(Call& call, Context& context, postgres::Connection& connection,
                const std::string& relation, const std::string& mode);

}  // namespace patchbay
