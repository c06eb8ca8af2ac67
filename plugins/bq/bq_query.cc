#include "bq_query.h"

#include <cctype>

#include "bq_load.h"
#include "bq_sql.h"
#include "bq_target.h"
#include "patchbay/tables/words.h"

namespace patchbay {
namespace {

// Quotes, a colon or a number; int64 is a word.
size_t begin_of_data(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const bool in_word = at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]));
    if (std::string_view(":\"'`[").find(text[at]) != std::string_view::npos) return at;
    if (std::isdigit(static_cast<unsigned char>(text[at])) && !in_word) return at;
  }
  return text.size();
}

[[noreturn]] void refuse(const std::string& job, const BqJobOutcome& outcome,
                         const Schema& stream) {
  const std::string subject = "job " + job + ": " + outcome.reason + ": ";
  if (retry_of(outcome.reason) != GoogleRetry::kNo)
    throw Error(Code::kUnavailable, subject + outcome.message);
  if (outcome.reason == "notFound") throw Error(Code::kNotFound, subject + outcome.message);
  if (outcome.reason == "accessDenied") throw Error(Code::kAuth, subject + outcome.message);
  if (outcome.reason == "invalidQuery")
    throw Error(Code::kData, subject + reason_without_data(outcome.message));
  throw Error(Code::kRemote, subject + tables::without_values(outcome.message, stream));
}

}  // namespace

std::string bq_query_job(const std::string& staging) { return staging + "_query"; }

std::string reason_without_data(const std::string& message) {
  static constexpr std::string_view kPrefix = "Query error: ";
  std::string_view text = message;
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  text = text.substr(0, begin_of_data(text));
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.ends_with(" at")) text.remove_suffix(3);
  return (text.empty() ? "a value does not fit" : std::string(text)) +
         "; the job's page in the Google Cloud console has the rest";
}

BqQueryWriter::BqQueryWriter(BqEpoch& epoch, std::unique_ptr<BqClient> client, SchemaPtr stream,
                             BqStage stage)
    : epoch_(epoch),
      client_(std::move(client)),
      stream_(std::move(stream)),
      stage_(std::move(stage)) {}

std::string BqQueryWriter::insert_sql() const {
  const std::string columns = bq_columns(stage_.token.columns);
  const bool numbered = !stage_.token.keys.empty();
  return "INSERT INTO " + bq_table(client_->place(), stage_.token.stage) + " (" + columns +
         (numbered ? ", `" + std::string(kBqRowNumber) + "`" : "") + ") SELECT " + columns +
         (numbered ? ", ROW_NUMBER() OVER ()" : "") + " FROM (\n" + reference_of(*stream_).query +
         "\n)";
}

void BqQueryWriter::write(Call&, Batch) {
  throw Error(Code::kInternal, "stream " + stream_->name + ": is by reference and sends rows");
}

Prepared BqQueryWriter::prepare(Call& call) {
  call.durable_step("bq.staging");
  client_->create_table(call, stage_.token.stage, stage_.resource, kBqStagingLife);
  const std::string sql = insert_sql();
  // What is wrong with the query itself can be told in full: no row has been looked at.
  const BqDryRun found = client_->dry_run(call, sql);
  if (!found.outcome.ok) {
    throw Error(
        retry_of(found.outcome.reason) == GoogleRetry::kNo ? Code::kSchema : Code::kUnavailable,
        "stream " + stream_->name + ": does not go into the table " + stage_.token.table + ": " +
            found.outcome.message);
  }
  Json::Value configuration;
  configuration["query"]["query"] = sql;
  configuration["query"]["useLegacySql"] = false;
  const std::string job = bq_query_job(stage_.token.stage);
  call.durable_step("bq.query.before");
  const BqJobOutcome outcome = client_->run_job(call, job, configuration);
  call.durable_step("bq.query.after");
  if (!outcome.ok) refuse(job, outcome, *stream_);
  return epoch_.finish(call, *client_, stage_.txn, stage_.token, outcome.affected_rows);
}

}  // namespace patchbay
