#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "copy_writer.h"
#include "patchbay/plugin.h"
#include "patchbay/postgres.h"
#include "patchbay/tables/options.h"
#include "patchbay/tables/schema_step.h"
#include "pg_book.h"
#include "pg_epoch.h"
#include "pg_kept.h"
#include "pg_session.h"

namespace patchbay {

// Tables. An epoch is one transaction, open until commit: its rows go straight into their tables,
// and a crash leaves nothing. The message that ends it also notes it in _patchbay_epochs, so that a
// repeated commit finds it there, and one that was aborted can't come late. Where the host asks for
// it, what an epoch appends is kept in tables as well, from which any process can commit it.
class PostgresSink final : public Sink {
 public:
  PostgresSink(Context& context, const Config& config);

  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  void apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;
  Outcome outcome(Call& call, const std::string& txn, std::span<const std::string> tokens) override;
  uint64_t newest(Call& call) override;

 private:
  postgres::Connection& connection(Call& call);  // for what is no part of an epoch
  // Work outside of an epoch, which may be repeated: `work(connection)`.
  template <class Work>
  auto repeatable(Call& call, Work&& work);
  EpochSession& session(Call& call, const std::string& txn);
  bool has_session(const std::string& txn) const { return session_ && session_->txn == txn; }
  Relation relation_of_stream(const std::string& stream) const;
  std::string shown(const std::string& stream) const;
  std::optional<PgTable> table_of_stream(Call& call, postgres::Connection& connection,
                                         const std::string& stream) const;
  void require_book(Call& call);
  void create_table(Call& call, postgres::Connection& connection, const Schema& stream,
                    const Relation& relation) const;
  void apply(Call& call, postgres::Connection& connection, const Schema& stream,
             const tables::SchemaStep& step) const;
  WriterPlan plan_writer(const SchemaPtr& stream, const PgTable& table) const;
  bool commit_open(Call& call, const std::string& txn, uint64_t epoch,
                   std::span<const tables::TableToken> tokens);
  bool commit_kept(Call& call, const std::string& txn, uint64_t epoch,
                   std::span<const std::string> tokens);
  Outcome noted(Call& call, const std::string& txn);
  Outcome fence(Call& call, const std::string& txn, std::span<const std::string> tokens);

  Context& context_;
  const postgres::Place place_;
  const std::string schema_;
  const tables::TableOptions options_;
  const PgBook book_;
  const std::shared_ptr<const PgKept> kept_;
  tables::DeclinedFields declined_;
  std::unique_ptr<postgres::Connection> connection_;  // null while an epoch has it
  bool has_book_ = false;
  std::shared_ptr<EpochSession> session_;  // writers hold it, too
};

}  // namespace patchbay
