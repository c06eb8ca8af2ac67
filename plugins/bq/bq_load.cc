#include "bq_load.h"

#include "bq_names.h"
#include "bq_target.h"
#include "patchbay/tables/words.h"

namespace patchbay {
namespace {

constexpr size_t kChunk = 8 << 20;
constexpr size_t kRoom = 64 << 10;  // for the row that goes over a chunk's end

// `json` ends with an object.
void append_row_number(std::string& json, int64_t number) {
  json.pop_back();
  if (json.back() != '{') json += ',';
  json += '"' + std::string(kBqRowNumber) + "\":" + std::to_string(number) + '}';
}

}  // namespace

BqLoadWriter::BqLoadWriter(BqEpoch& epoch, std::unique_ptr<BqClient> client, SchemaPtr stream,
                           BqStage stage)
    : epoch_(epoch),
      client_(std::move(client)),
      stream_(stream),
      stage_(std::move(stage)),
      numbered_(!stage_.token.keys.empty()),
      null_keys_(stream, kBqNames, stage_.token.keys),
      encoder_(std::move(stream), stage_.resource["schema"]["fields"], false),
      job_(stage_.token.stage + "_load") {}

Json::Value BqLoadWriter::configuration() const {
  Json::Value load = stage_.resource;
  load["sourceFormat"] = "NEWLINE_DELIMITED_JSON";
  load["destinationTable"]["projectId"] = client_->place().project;
  load["destinationTable"]["datasetId"] = client_->place().dataset;
  load["destinationTable"]["tableId"] = stage_.token.stage;
  load["createDisposition"] = "CREATE_NEVER";
  load["writeDisposition"] = "WRITE_TRUNCATE";
  if (stage_.lacks_fields) load["ignoreUnknownValues"] = true;
  Json::Value configuration;
  configuration["load"] = load;
  return configuration;
}

void BqLoadWriter::begin(Call& call) {
  if (upload_) return;
  call.durable_step("bq.staging");
  client_->create_table(call, stage_.token.stage, stage_.resource, kBqStagingLife);
  upload_.emplace(client_->begin_upload(call, job_, configuration(),
                                        [stream = stream_](const std::string& said) {
                                          return tables::without_values(said, *stream);
                                        }));
}

void BqLoadWriter::upload(Call& call, bool last) {
  begin(call);
  if (last) {
    upload_->finish(call, buffer_);
    return buffer_.clear();
  }
  const size_t whole = buffer_.size() - buffer_.size() % GoogleUpload::kUnit;
  upload_->append(call, std::string_view(buffer_).substr(0, whole));
  buffer_.erase(0, whole);
}

void BqLoadWriter::write(Call& call, Batch batch) {
  batch = encoder_.without_misfits(call, null_keys_.without(call, std::move(batch)));
  const JsonRows rows = encoder_.rows(batch);
  buffer_.reserve(kChunk + kRoom);  // growing by doubling would take twice as much
  for (int64_t row = 0; row < batch.rows(); ++row) {
    rows.append(buffer_, row);
    if (numbered_) append_row_number(buffer_, rows_ + row);
    buffer_ += '\n';
    if (buffer_.size() >= kChunk) upload(call, false);
  }
  rows_ += batch.rows();
}

// The rows are gone from here: what may be a value is masked by where it stands.
std::string BqLoadWriter::words_of(const BqJobOutcome& outcome) const {
  std::string out = outcome.reason + ": " + tables::without_values(outcome.message, *stream_);
  for (const auto& detail : outcome.details) out += "; " + tables::without_values(detail, *stream_);
  return out;
}

Prepared BqLoadWriter::prepare(Call& call) {
  upload(call, true);
  call.durable_step("bq.uploaded");
  const auto outcome = client_->find_job(call, job_);
  if (!outcome) throw Error(Code::kUnavailable, "job " + job_ + ": was uploaded and is not found");
  if (!outcome->ok) {
    throw Error(retry_of(outcome->reason) == GoogleRetry::kNo ? Code::kData : Code::kUnavailable,
                "job " + job_ + ": BigQuery refused the rows: " + words_of(*outcome));
  }
  call.durable_step("bq.prepared");
  return epoch_.finish(call, *client_, stage_.txn, stage_.token, rows_);
}

}  // namespace patchbay
