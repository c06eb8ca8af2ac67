// The one transaction of an epoch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/postgres.h"
#include "pg_kept.h"
#include "pg_target.h"

namespace patchbay {

// A COPY whose data was sent and whose result has not been asked for.
class CopyUnderWay {
 public:
  virtual ~CopyUnderWay() = default;
  virtual void collect(Call& call) = 0;  // frees the connection for others
};

// Everything in it vanishes with its connection. Shared by the sink and its writers.
struct EpochSession {
  Context& context;
  std::string txn;
  std::unique_ptr<postgres::Connection> connection;
  // Set where what is appended has to outlive the session.
  std::shared_ptr<const PgKept> kept{};
  std::string started{};  // the session's beginning: with its process number, it alone
  int writers = 0;        // so far; names their tables
  int open_writers = 0;
  CopyUnderWay* under_way = nullptr;
  bool has_savepoint = false;  // of a COPY that succeeded; the next one releases it
  bool own_path = true;
  std::vector<std::shared_ptr<EpochTable>> tables{};  // in the order in which they were opened

  // The connection, free for another COPY.
  postgres::Connection& between_copies(Call& call);
  // Free for statements, on the own path: names are the system's.
  postgres::Connection& at_rest(Call& call);
  // Free for statements that write rows, on the user's path: what is tied to the tables finds there
  // what an application's statement finds. Names and operators of ours have their schemas.
  postgres::Connection& for_rows(Call& call);

  // The table of this epoch, as it is now; null where nothing was opened for it.
  EpochTable* find(const PgTable& table);

 private:
  void use_path(Call& call, bool own);
};

}  // namespace patchbay
