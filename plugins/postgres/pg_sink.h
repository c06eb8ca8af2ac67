#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/postgres.h"
#include "pg_epoch.h"
#include "pg_session.h"

namespace patchbay {

// Tables. An epoch is one transaction, which also records its name in _patchbay_epochs: open until
// commit, so that a crash leaves nothing, and a repeated commit finds the record.
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

 private:
  postgres::Connection& connection(Call& call);  // for what is no part of an epoch
  EpochSession& session(Call& call, const std::string& txn);
  std::string table_of(const std::string& stream) const;
  Relation epochs() const;
  void require_epochs(Call& call);
  void create_table(Call& call, const Schema& stream, const Relation& relation);
  bool commit_open(Call& call, const std::string& txn, uint64_t epoch);
  bool was_committed(Call& call, const std::string& txn, const Json::Value& token);

  Context& context_;
  const postgres::Place place_;
  const std::string schema_, write_;
  const std::vector<std::string> keys_;
  const bool create_;
  std::map<std::string, std::string> tables_;
  std::unique_ptr<postgres::Connection> connection_;  // null while an epoch has it
  bool has_epochs_ = false;
  std::shared_ptr<EpochSession> session_;  // writers hold it, too
};

}  // namespace patchbay
