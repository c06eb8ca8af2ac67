#include "bq_commit.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bq_names.h"
#include "bq_schema.h"
#include "bq_sql.h"
#include "bq_target.h"
#include "patchbay/tables/words.h"

namespace patchbay {
namespace {

using tables::TableGroup;
using tables::TableToken;
using tables::WriteMode;

constexpr uint32_t kMostFailedJobs = 1000;

bool owns_table(const TableGroup& group) {
  return group.write() == WriteMode::kReplace || group.write() == WriteMode::kMirror;
}

int64_t count(Call& call, BqClient& client, const std::string& rows) {
  const Json::Value page = client.start_query(call, "SELECT COUNT(*) AS n " + rows);
  return std::strtoll(page["rows"][0]["f"][0]["v"].asString().c_str(), nullptr, 10);
}

// A copy job moves no bytes through a query, but copies whole tables of one schema.
bool is_one_copy(const std::vector<TableGroup>& groups) {
  if (groups.size() != 1) return false;
  const TableGroup& group = groups[0];
  if (group.write() != WriteMode::kAppend && group.write() != WriteMode::kReplace) return false;
  const auto fields = [](const TableToken& token) { return token.more["fields"].asInt64(); };
  return group.recreate() ||
         std::all_of(group.tokens.begin(), group.tokens.end(), [&](const TableToken& token) {
           return !token.more["has_defaults"].asBool() && fields(token) == fields(group.tokens[0]);
         });
}

// Somebody else changed the table at the same time, and nothing of this was done:
// https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency
bool is_conflict(const BqJobOutcome& outcome) {
  return outcome.message.find("concurrent update") != std::string::npos;
}

// What BigQuery says of rows that it only moved, without what it may quote of them.
std::string words_of(const BqJobOutcome& outcome, const std::vector<TableGroup>& groups) {
  Schema names;
  for (const auto& group : groups) {
    for (const auto& column : group.columns(kBqNames))
      names.fields.push_back({column, scalar(TypeId::kUtf8), true});
  }
  return outcome.reason + ": " + tables::without_values(outcome.message, names);
}

}  // namespace

std::string bq_staging_name(const std::string& txn, uint64_t writer) {
  std::string name = "_patchbay_" + txn + "_" + std::to_string(writer);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

int64_t judge_group(Call& call, BqClient& client, const TableGroup& group) {
  if (!owns_table(group)) return 0;
  const auto target = client.get_table(call, group.table());
  if (!target)
    throw Error(Code::kSchema,
                "table " + group.table() + ": is gone since the run looked; run again");
  const int64_t before = rows_of_target(*target);
  tables::require_rows(group, before);
  if (group.write() == WriteMode::kReplace) {
    if (!group.recreate()) {
      tables::require_none_beyond(
          group.table(),
          tables::columns_beyond(kBqNames, group.columns(kBqNames), columns_of_target(*target)));
    }
    return 0;
  }
  if (!group.complete()) return 0;
  tables::require_few_deletes(group, count(call, client, missing_rows(client.place(), group)),
                              before);
  const tables::DeleteLimit& limit = group.tokens[0].deletes;
  return limit.rows
             ? *limit.rows
             : static_cast<int64_t>(std::floor(static_cast<double>(before) * limit.percent / 100));
}

std::string BqCommit::id(uint32_t number) const {
  return "patchbay_" + txn_ + "_commit_" + std::to_string(number);
}

bool BqCommit::is_committed(Call& call) {
  for (; number_ < kMostFailedJobs; ++number_) {
    const auto outcome = client_.find_job(call, id(number_));
    if (!outcome) return false;
    if (outcome->ok) return true;
  }
  return false;
}

// The staging tables of a table that is made anew get the columns of all of them.
void BqCommit::make_alike(Call& call, const TableGroup& group) {
  std::vector<Json::Value> found;
  Json::Value all(Json::arrayValue);
  for (const auto& token : group.tokens) {
    const auto staging = client_.get_table(call, token.stage);
    if (!staging) throw Error(Code::kNotFound, "table " + token.stage + ": is gone");
    all = union_of_fields(all, (*staging)["schema"]["fields"]);
    found.push_back(*staging);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    Json::Value schema;
    schema["fields"] = union_of_fields(found[i]["schema"]["fields"], all);
    if (count_fields(schema["fields"]) == count_fields(found[i]["schema"]["fields"])) continue;
    client_.patch_schema(call, group.tokens[i].stage, schema, found[i]["etag"].asString());
  }
}

Json::Value BqCommit::configuration(const std::vector<TableGroup>& groups,
                                    const std::vector<int64_t>& most_deletes) const {
  const BqPlace& place = client_.place();
  const auto reference = [&](const std::string& table) {
    Json::Value out;
    out["projectId"] = place.project;
    out["datasetId"] = place.dataset;
    out["tableId"] = table;
    return out;
  };
  Json::Value job;
  if (is_one_copy(groups)) {
    Json::Value& copy = job["copy"];
    for (const auto& token : groups[0].tokens) copy["sourceTables"].append(reference(token.stage));
    copy["destinationTable"] = reference(groups[0].table());
    copy["createDisposition"] = "CREATE_NEVER";
    copy["writeDisposition"] =
        groups[0].write() == WriteMode::kReplace ? "WRITE_TRUNCATE" : "WRITE_APPEND";
    return job;
  }
  job["query"]["query"] = commit_script(place, groups, most_deletes);
  job["query"]["useLegacySql"] = false;
  return job;
}

void BqCommit::wait_after_failure(Call& call, const BqJobOutcome& outcome, uint32_t tries,
                                  const std::vector<TableGroup>& groups) {
  const std::string what = "job " + id(number_) + ": " + words_of(outcome, groups);
  if (outcome.reason == "notFound") throw Error(Code::kNotFound, what);
  const GoogleRetry retry = is_conflict(outcome) ? GoogleRetry::kSoon : retry_of(outcome.reason);
  const auto wait = retry == GoogleRetry::kSoon ? call.backoff(tries) : std::nullopt;
  if (!wait) throw Error(retry == GoogleRetry::kNo ? Code::kRemote : Code::kUnavailable, what);
  wait_or_cancel(call, *wait);
}

void BqCommit::run(Call& call, const std::vector<TableGroup>& groups) {
  if (!is_committed(call)) {
    std::vector<int64_t> most_deletes;
    for (const auto& group : groups) most_deletes.push_back(judge_group(call, client_, group));
    for (const auto& group : groups) {
      if (group.recreate()) make_alike(call, group);
    }
    const Json::Value job = configuration(groups, most_deletes);
    for (uint32_t tries = 0;; ++number_) {
      call.durable_step("bq.commit.before");
      const BqJobOutcome outcome = client_.run_job(call, id(number_), job);
      call.durable_step("bq.commit.after");
      if (outcome.ok) break;
      // Another process has tried in between.
      if (outcome.repeated && tries == 0 && number_ < kMostFailedJobs) continue;
      wait_after_failure(call, outcome, ++tries, groups);
    }
  }
  for (const auto& group : groups) {
    for (const auto& token : group.tokens) client_.delete_table(call, token.stage);
  }
}

}  // namespace patchbay
