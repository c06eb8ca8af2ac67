#include "gcs_transfer.h"

#include <algorithm>

namespace patchbay {

std::string_view GcsDownload::read(Call& call) {
  if (at_ == piece_.size() && fetched_ < object_.size) {
    piece_ = {};  // not beside the next one in memory
    piece_ = client_->read(call, object_, fetched_, std::min(most_, object_.size - fetched_));
    fetched_ += static_cast<int64_t>(piece_.size());
    at_ = 0;
    crc_.add(piece_);
  }
  const std::string_view data = std::string_view(piece_).substr(at_, kObjectChunk);
  at_ += data.size();
  return data;
}

// Before the last chunk is given on, so that a damaged object is never whole.
void GcsDownload::finish(Call&) {
  if (object_.crc32c.empty() || crc_.base64() == object_.crc32c) return;
  throw Error(Code::kUnavailable, client_->uri(object_.name) +
                                      ": was damaged on its way: its crc32c is " + crc_.base64() +
                                      " and must be " + object_.crc32c);
}

Json::Value gcs_metadata(const Json::Value& detail) {
  Json::Value out;
  out["contentType"] = detail["content_type"];
  out["metadata"][kGcsMark] = detail["mark"];
  return out;
}

GcsUpload::GcsUpload(Call& call, GcsLease client, Json::Value detail, bool replaces, int64_t piece)
    : client_(std::move(client)),
      detail_(std::move(detail)),
      replaces_(replaces),
      piece_(static_cast<size_t>(piece)) {
  call.durable_step("gcs.session");
  upload_.emplace(
      client_->begin_upload(call, detail_["temporary"].asString(), gcs_metadata(detail_)));
  // Growing by doubling would take twice as much.
  buffer_.reserve(piece_ + kObjectChunk);
}

void GcsUpload::append(Call& call, std::string_view bytes) {
  crc_.add(bytes);
  size_ += static_cast<int64_t>(bytes.size());
  buffer_ += bytes;
  if (buffer_.size() <= piece_) return;
  const size_t whole = buffer_.size() - buffer_.size() % GoogleUpload::kUnit;
  upload_->append(call, std::string_view(buffer_).substr(0, whole));
  buffer_.erase(0, whole);
}

// What is at the target now is what this object replaces; a change after this is somebody else's.
Json::Value GcsUpload::finish(Call& call) {
  call.durable_step("gcs.object");
  const HttpResponse response =
      upload_->finish(call, buffer_, {"X-Goog-Hash: crc32c=" + crc_.base64()});
  call.durable_step("gcs.object.stored");
  const GcsObject stored = client_->parse(response);
  check_stored(call, stored);
  const auto there = replaces_ ? client_->find(call, detail_["target"].asString()) : std::nullopt;
  detail_["generation"] = Json::Int64(stored.generation);
  detail_["replaces"] = Json::Int64(there ? there->generation : 0);
  return detail_;
}

void GcsUpload::check_stored(Call& call, const GcsObject& stored) {
  const bool right =
      stored.size == size_ && (stored.crc32c.empty() || stored.crc32c == crc_.base64());
  if (right) return;
  client_->remove(call, detail_["temporary"].asString(), stored.generation);
  throw Error(Code::kUnavailable, client_->uri(detail_["target"].asString()) +
                                      ": was damaged on its way: the server has " +
                                      std::to_string(stored.size) + " bytes of " +
                                      std::to_string(size_) + ", or another crc32c");
}

}  // namespace patchbay
