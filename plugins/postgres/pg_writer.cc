#include "pg_writer.h"

#include "pg_lock.h"
#include "pg_replace.h"
#include "stage_writer.h"

namespace patchbay {
namespace {

using postgres::Connection;
using tables::WriteMode;

// A table beside the real one, which all writers of the epoch fill.
bool loads_beside(Call& call, EpochSession& session, EpochTable& table, const WriterPlan& plan) {
  if (table.write != WriteMode::kReplace || plan.token.recreate) return false;
  if (table.beside) return true;
  Connection& connection = session.at_rest(call);
  if (!table.group.tokens.empty() || table.open > 0 ||
      !may_swap(call, connection, table.table.relation))
    return false;
  table.beside = make_beside(call, connection, table.table.relation, session.txn,
                             std::to_string(session.writers));
  return true;
}

}  // namespace

std::unique_ptr<Writer> make_writer(Call& call, std::shared_ptr<EpochSession> session,
                                    std::shared_ptr<EpochTable> table, WriterPlan plan) {
  Connection& connection = session->at_rest(call);
  ++session->writers;
  const std::string target = table->table.relation.sql();
  if (plan.options->owns_table() && table->table.guards_rows) {
    throw Error(Code::kAuth, "table " + table->table.shown +
                                 ": row security hides rows of it from this role, so that write: " +
                                 tables::name_of(table->write) +
                                 " would leave them; give the role BYPASSRLS, or use append or "
                                 "upsert");
  }
  // Of two runs that replace a table the second waits before it has written anything.
  if (plan.options->owns_table())
    lock_table(call, session->context, connection, target, "SHARE UPDATE EXCLUSIVE");
  if (loads_beside(call, *session, *table, plan)) {
    const std::string into = table->beside->relation.sql();
    return std::make_unique<CopyWriter>(std::move(session), std::move(table), std::move(plan),
                                        into);
  }
  auto deferred = deferred_keys(call, connection, table->table);
  const bool direct = !session->kept && table->write == WriteMode::kAppend && deferred.empty() &&
                      !table->table.guards_rows && !table->table.is_view();
  if (direct) {
    lock_table(call, session->context, connection, target, "ROW EXCLUSIVE");
    return std::make_unique<CopyWriter>(std::move(session), std::move(table), std::move(plan),
                                        target);
  }
  return make_stage_writer(call, std::move(session), std::move(table), std::move(plan),
                           std::move(deferred));
}

}  // namespace patchbay
