// The one transaction of an epoch.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "patchbay/postgres.h"

namespace patchbay {

// A COPY whose data was sent and whose result has not been asked for.
class CopyUnderWay {
 public:
  virtual ~CopyUnderWay() = default;
  virtual void collect(Call& call) = 0;  // frees the connection for others
};

// Everything in it vanishes with its connection.
struct EpochSession {
  Context& context;
  std::string txn;
  std::unique_ptr<postgres::Connection> connection;
  std::string started{};  // the session's beginning: with its process number, it alone
  int writers = 0;        // so far; names their tables
  int open_writers = 0;
  CopyUnderWay* under_way = nullptr;
  bool has_savepoint = false;  // of a COPY that succeeded; the next one releases it

  // The connection, free for another COPY.
  postgres::Connection& between_copies(Call& call) {
    if (under_way) under_way->collect(call);
    return *connection;
  }
  // The connection, free for statements.
  postgres::Connection& at_rest(Call& call) {
    between_copies(call);
    if (std::exchange(has_savepoint, false)) connection->run(call, "RELEASE SAVEPOINT patchbay");
    return *connection;
  }
};

}  // namespace patchbay
