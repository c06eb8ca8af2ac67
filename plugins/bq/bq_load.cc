#include "bq_load.h"

#include "bq_words.h"
#include "patchbay/json_value.h"

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

Json::Value with_row_number(Json::Value schema) {
  Json::Value field;
  field["name"] = kBqRowNumber;
  field["type"] = "INTEGER";
  schema["fields"].append(field);
  return schema;
}

BqLoadWriter::BqLoadWriter(std::unique_ptr<BqClient> client, SchemaPtr stream,
                           const Json::Value& target_schema, std::string staging, Json::Value token)
    : client_(std::move(client)),
      stream_(stream),
      numbered_(token["write"].asString() == "upsert"),
      schema_(numbered_ ? with_row_number(target_schema) : target_schema),
      staging_(std::move(staging)),
      token_(std::move(token)),
      encoder_(std::move(stream), target_schema["fields"], false),
      job_(staging_ + "_load") {}

Json::Value BqLoadWriter::configuration() const {
  Json::Value load;
  load["sourceFormat"] = "NEWLINE_DELIMITED_JSON";
  load["destinationTable"]["projectId"] = client_->place().project;
  load["destinationTable"]["datasetId"] = client_->place().dataset;
  load["destinationTable"]["tableId"] = staging_;
  load["createDisposition"] = "CREATE_NEVER";
  load["writeDisposition"] = "WRITE_TRUNCATE";
  load["schema"] = schema_;
  load["ignoreUnknownValues"] = true;  // columns that were declined
  Json::Value configuration;
  configuration["load"] = load;
  return configuration;
}

void BqLoadWriter::begin(Call& call) {
  if (upload_) return;
  call.durable_step("bq.staging");
  client_->create_table(call, staging_, schema_, kBqStagingLife);
  upload_.emplace(client_->begin_upload(call, job_, configuration()));
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
  batch = encoder_.without_misfits(call, std::move(batch));
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

Prepared BqLoadWriter::prepare(Call& call) {
  upload(call, true);
  call.durable_step("bq.uploaded");
  const auto outcome = client_->find_job(call, job_);
  if (!outcome) throw Error(Code::kUnavailable, "job " + job_ + ": was uploaded and is not found");
  if (!outcome->ok) {
    throw Error(retry_of(outcome->reason) == GoogleRetry::kNo ? Code::kData : Code::kUnavailable,
                "job " + job_ + ": BigQuery refused the rows: " + outcome->reason + ": " +
                    without_values(outcome->message, *stream_));
  }
  call.durable_step("bq.prepared");
  return {write_json(token_), rows_};
}

}  // namespace patchbay
