#include "pg_epoch.h"

#include <algorithm>
#include <utility>

namespace patchbay {

using postgres::Connection;

Connection& EpochSession::between_copies(Call& call) {
  if (under_way) under_way->collect(call);
  return *connection;
}

void EpochSession::use_path(Call& call, bool own) {
  between_copies(call);
  if (std::exchange(has_savepoint, false)) connection->run(call, "RELEASE SAVEPOINT patchbay");
  if (own_path == own) return;
  connection->run(call, own ? postgres::kOwnPath : postgres::kUsersPath);
  own_path = own;
}

Connection& EpochSession::at_rest(Call& call) {
  use_path(call, true);
  return *connection;
}

Connection& EpochSession::for_rows(Call& call) {
  use_path(call, false);
  return *connection;
}

EpochTable* EpochSession::find(const PgTable& table) {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& one) { return one->table.oid == table.oid; });
  return found == tables.end() ? nullptr : found->get();
}

}  // namespace patchbay
