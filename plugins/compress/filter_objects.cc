#include "filter_objects.h"

#include <optional>

#include "patchbay/object.h"

namespace patchbay {
namespace {

// Below it no ratio is looked at: a small file may well consist of one repeated byte.
constexpr uint64_t kAlwaysFine = 64 << 20;

class FilterReader final : public Reader {
 public:
  FilterReader(const ObjectFilter& filter, Input input)
      : filter_(filter), input_(std::move(input)) {}

  Event next(Call& call) override {
    for (;;) {
      if (busy_) {
        if (auto event = work()) return std::move(*event);
      } else if (chunks_ && row_ < chunks_->rows()) {
        take((*chunks_)[row_++]);
      } else if (auto event = pull(call)) {
        return std::move(*event);
      }
    }
  }

 private:
  struct Object {
    std::string name;
    std::unique_ptr<ByteFilter> filter;
    std::string key;
    std::optional<int64_t> modified;
    int64_t offset = 0;
    uint64_t bytes_in = 0;
    std::vector<char> buffer = std::vector<char>(kObjectChunk);
    size_t filled = 0;
  };
  struct Stream {
    SchemaPtr schema;
    std::unique_ptr<Object> object;
  };

  std::optional<Event> pull(Call& call) {
    Event event = input_.next(call);
    if (auto* batch = std::get_if<BatchEvent>(&event)) {
      stream_ = batch->stream;
      batch_ = std::move(batch->batch);
      chunks_.emplace(batch_);
      row_ = 0;
      return std::nullopt;
    }
    if (const auto* begin = std::get_if<StreamBegin>(&event)) begin_stream(*begin);
    if (std::holds_alternative<End>(event)) {
      for (const auto& stream : streams_) {
        if (stream.object) unfinished(*stream.object);
      }
    }
    return event;
  }

  [[noreturn]] static void unfinished(const Object& object) {
    throw Error(Code::kInternal, object.name + ": its last chunk never came");
  }

  void begin_stream(const StreamBegin& begin) {
    if (!is_object_schema(*begin.schema)) {
      throw Error(Code::kConfig, "stream " + begin.schema->name +
                                     ": is no stream of files; compress works on files");
    }
    if (begin.stream >= streams_.size()) streams_.resize(begin.stream + 1);
    streams_[begin.stream].schema = begin.schema;
  }

  void take(const ObjectChunk& chunk) {
    Stream& stream = streams_.at(stream_);
    if (stream.object && (chunk.offset == 0 || chunk.key != stream.object->name))
      unfinished(*stream.object);
    if (!stream.object) {
      stream.object = std::make_unique<Object>();
      stream.object->name = chunk.key;
      stream.object->key = filter_.rename(chunk.key);
      stream.object->modified = chunk.modified;
      stream.object->filter = filter_.make(stream.object->name);
    }
    rest_ = chunk.data;
    last_ = chunk.last;
    busy_ = true;
  }

  // One chunk out of the one that came in, once it is full or the object ends.
  std::optional<Event> work() {
    Object& object = *streams_[stream_].object;
    std::span<char> out = std::span(object.buffer).subspan(object.filled);
    const size_t had = rest_.size();
    const bool waits = object.filter->run(rest_, last_, out);
    object.bytes_in += had - rest_.size();
    object.filled = object.buffer.size() - out.size();
    check_ratio(object);
    busy_ = !waits;
    const bool ended = waits && last_;
    if (!ended && object.filled < object.buffer.size()) return std::nullopt;
    return chunk(ended);
  }

  void check_ratio(const Object& object) const {
    const auto bytes_out = static_cast<uint64_t>(object.offset) + object.filled;
    if (filter_.max_ratio == 0 || bytes_out <= kAlwaysFine ||
        static_cast<double>(bytes_out) <=
            filter_.max_ratio * static_cast<double>(object.bytes_in)) {
      return;
    }
    throw Error(Code::kData,
                object.name + ": grows to more than " +
                    std::to_string(static_cast<int64_t>(filter_.max_ratio)) +
                    " times its size, as files made to fill disks do; where it may, set max_ratio "
                    "higher, or to 0");
  }

  Event chunk(bool last) {
    Stream& stream = streams_[stream_];
    Object& object = *stream.object;
    ObjectBuilder batch(stream.schema);
    batch.append({object.key,
                  {},
                  object.modified,
                  {},
                  object.offset,
                  {object.buffer.data(), object.filled},
                  last});
    object.offset += static_cast<int64_t>(std::exchange(object.filled, 0));
    if (last) stream.object.reset();
    return BatchEvent{stream_, batch.finish()};
  }

  const ObjectFilter& filter_;
  Input input_;
  std::vector<Stream> streams_;
  Batch batch_;
  std::optional<ObjectView> chunks_;
  int64_t row_ = 0;
  uint32_t stream_ = 0;    // of batch_
  std::string_view rest_;  // of the chunk in work, in batch_
  bool last_ = false, busy_ = false;
};

}  // namespace

std::unique_ptr<Reader> filter_objects(const ObjectFilter& filter, Input input) {
  return std::make_unique<FilterReader>(filter, std::move(input));
}

}  // namespace patchbay
