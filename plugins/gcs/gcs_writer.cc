#include "gcs_writer.h"

#include "patchbay/json_value.h"

namespace patchbay {

std::string gcs_temporary_prefix(const GcsSinkConfig& config, const std::string& txn) {
  return config.temporary + txn + "/";
}

Json::Value gcs_metadata(const std::string& content_type, const std::string& mark) {
  Json::Value out;
  out["contentType"] = content_type;
  out["metadata"][kGcsMark] = mark;
  return out;
}

GcsWriter::GcsWriter(GcsLease client, const GcsSinkConfig& config, std::string stream,
                     std::string txn, uint64_t number)
    : client_(std::move(client)),
      config_(config),
      stream_(std::move(stream)),
      txn_(std::move(txn)),
      prefix_(std::to_string(number) + "-") {
  token_["if_exists"] = config_.if_exists;
  token_["content_type"] = config_.content_type;
  token_["objects"] = Json::arrayValue;
}

void GcsWriter::write(Call& call, Batch batch) {
  const ObjectView view(batch);
  for (int64_t row = 0; row < view.rows(); ++row) {
    call.throw_if_cancelled();
    const ObjectChunk chunk = view[row];
    if (!open_) begin(call, std::string(chunk.key));
    if (!skipped_) take(call, chunk.data);
    if (chunk.last) finish(call);
  }
  rows_ += batch.rows();
}

void GcsWriter::begin(Call& call, const std::string& key) {
  target_ = config_.path.claim(client_->bucket(), txn_, stream_, key, ++parts_);
  const bool there = config_.if_exists != "replace" && client_->find(call, target_);
  if (there && config_.if_exists == "fail") {
    throw Error(Code::kRemote, client_->uri(target_) + ": is already there, and if_exists is fail");
  }
  open_ = true;
  skipped_ = there;
  if (skipped_) return;
  const std::string number = prefix_ + std::to_string(parts_);
  temporary_ = gcs_temporary_prefix(config_, txn_) + number;
  mark_ = txn_ + "/" + number;
  call.durable_step("gcs.session");
  upload_.emplace(
      client_->begin_upload(call, temporary_, gcs_metadata(config_.content_type, mark_)));
  // Growing by doubling would take twice as much.
  buffer_.reserve(static_cast<size_t>(config_.chunk_size) + kObjectChunk);
  crc_ = {};
  size_ = 0;
}

void GcsWriter::take(Call& call, std::string_view data) {
  crc_.add(data);
  size_ += static_cast<int64_t>(data.size());
  buffer_ += data;
  if (buffer_.size() <= static_cast<size_t>(config_.chunk_size)) return;
  const size_t whole = buffer_.size() - buffer_.size() % GoogleUpload::kUnit;
  upload_->append(call, std::string_view(buffer_).substr(0, whole));
  buffer_.erase(0, whole);
}

void GcsWriter::finish(Call& call) {
  open_ = false;
  if (skipped_) return;
  call.durable_step("gcs.object");
  const HttpResponse response =
      upload_->finish(call, buffer_, {"X-Goog-Hash: crc32c=" + crc_.base64()});
  call.durable_step("gcs.object.stored");
  buffer_.clear();
  upload_.reset();
  const GcsObject stored = client_->parse(response);
  check_stored(call, stored);
  Json::Value object;
  object["target"] = target_;
  object["temporary"] = temporary_;
  object["generation"] = Json::Int64(stored.generation);
  object["mark"] = mark_;
  token_["objects"].append(object);
}

void GcsWriter::check_stored(Call& call, const GcsObject& stored) {
  const bool right =
      stored.size == size_ && (stored.crc32c.empty() || stored.crc32c == crc_.base64());
  if (right) return;
  client_->remove(call, temporary_, stored.generation);
  throw Error(Code::kUnavailable, client_->uri(target_) +
                                      ": was damaged on its way: the server has " +
                                      std::to_string(stored.size) + " bytes of " +
                                      std::to_string(size_) + ", or another crc32c");
}

// What stands at the targets now is what this transaction replaces; a change after this is
// somebody else's.
Prepared GcsWriter::prepare(Call& call) {
  if (open_) throw Error(Code::kInternal, target_ + ": the epoch ends inside an object");
  for (auto& object : token_["objects"]) {
    const auto there = config_.if_exists == "replace"
                           ? client_->find(call, object["target"].asString())
                           : std::nullopt;
    object["replaces"] = Json::Int64(there ? there->generation : 0);
  }
  call.durable_step("gcs.prepared");
  return {write_json(token_), rows_};
}

}  // namespace patchbay
