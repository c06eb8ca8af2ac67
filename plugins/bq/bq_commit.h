// What becomes of an epoch's staging tables: judged, made visible by one job, or dropped.
#pragma once

#include <string>
#include <vector>

#include "bq_access.h"
#include "patchbay/tables/tokens.h"

namespace patchbay {

// Staging tables and job ids are named after the transaction, so that they are found again.
std::string bq_staging_name(const std::string& txn, uint64_t writer);

// Throws kData or kSchema for what must not happen to the group's table: see tables/tokens.h and
// tables/columns.h. Returns how many rows a complete mirror may delete, otherwise 0.
int64_t judge_group(Call& call, BqClient& client, const tables::TableGroup& group);

// One transaction. The id of its job is derived from its name: after a crash the job is found
// again, and its own outcome decides. A job that failed did nothing, so the next one takes the next
// id.
class BqCommit {
 public:
  BqCommit(BqClient& client, std::string txn) : client_(client), txn_(std::move(txn)) {}

  // Whether a job of the transaction has made its rows visible; waits for one at work.
  bool is_committed(Call& call);
  // Does nothing where it is. Throws kNotFound where staging tables are gone, kData and kSchema
  // where a table must not be changed so, kRemote where BigQuery refuses, kUnavailable for now.
  void run(Call& call, const std::vector<tables::TableGroup>& groups);

 private:
  std::string id(uint32_t number) const;
  Json::Value configuration(const std::vector<tables::TableGroup>& groups,
                            const std::vector<int64_t>& most_deletes) const;
  void make_alike(Call& call, const tables::TableGroup& group);
  void wait_after_failure(Call& call, const BqJobOutcome& outcome, uint32_t tries,
                          const std::vector<tables::TableGroup>& groups);

  BqClient& client_;
  const std::string txn_;
  uint32_t number_ = 1;  // of the first job that is not there
};

}  // namespace patchbay
