#include "object_reader.h"

namespace patchbay {

// The next bytes; empty at the end only.
std::string_view ObjectReader::read(Call& call) {
  if (offset_ == object_.size) return {};
  const std::string_view data = download_->read(call);
  if (!data.empty() || object_.size < 0) return data;
  throw Error(Code::kUnavailable, parts_.store.uri(object_.key) + ": ends after " +
                                      std::to_string(offset_) + " of " +
                                      std::to_string(object_.size) + " bytes; read again");
}

Event ObjectReader::next(Call& call) {
  if (!announced_) {
    announced_ = true;
    return StreamBegin{0, parts_.schema};
  }
  if (!download_) return End{};
  const std::string_view data = read(call);
  const int64_t offset = offset_;
  offset_ += static_cast<int64_t>(data.size());
  const bool sized = object_.size >= 0;
  const bool last = sized ? offset_ >= object_.size : data.empty();
  ObjectChunk chunk{object_.key, {}, {}, {}, offset, data, last};
  if (sized) chunk.size = object_.size;
  if (sized) chunk.modified = object_.modified;
  if (sized) chunk.etag = object_.version;
  ObjectBuilder batch(parts_.schema);
  batch.append(chunk);
  if (last) {
    download_->finish(call);
    download_.reset();
  }
  return BatchEvent{0, batch.finish()};
}

Checkpoint ObjectReader::checkpoint(Call&, Json::Value&) {
  return download_ ? Checkpoint::kNotNow : Checkpoint::kUnchanged;
}

// The rows are committed, so a failure here must not have the host read them again.
void ObjectReader::committed(Call& call, uint64_t) {
  if (download_ || settled_ || !parts_.on_commit) return;
  settled_ = true;
  try {
    parts_.on_commit->take(call, parts_.store, object_, parts_.schema->name);
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) throw;
    throw Error(error.code() == Code::kUnavailable ? Code::kRemote : error.code(),
                parts_.store.uri(object_.key) + ": its rows are committed, but it is not " +
                    parts_.on_commit->verb() + ": " + error.what());
  }
}

void ObjectReader::refused(Call& call, Code) {
  if (settled_ || !parts_.on_refusal) return;
  settled_ = true;
  parts_.on_refusal->take(call, parts_.store, object_, parts_.schema->name);
}

}  // namespace patchbay
