#include "patchbay/encode_files.h"

#include <deque>

#include "patchbay/object.h"

namespace patchbay {
namespace {

class EncodeReader final : public Reader {
 public:
  EncodeReader(Input input, std::string key, MakeRowText make)
      : input_(std::move(input)), key_(std::move(key)), make_(std::move(make)) {}

  Event next(Call& call) override {
    while (out_.empty()) {
      if (ended_) return End{};
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) {
        begin_stream(*begin);
      } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
        Stream& stream = *streams_.at(batch->stream);
        stream.rows->rows(stream.text, batch->batch);
        give_chunks(batch->stream, false);
      } else if (std::holds_alternative<End>(event)) {
        ended_ = true;
        for (uint32_t i = 0; i < streams_.size(); ++i) {
          streams_[i]->rows->end(streams_[i]->text);
          give_chunks(i, true);
        }
      } else {
        return event;
      }
    }
    Event event = std::move(out_.front());
    out_.pop_front();
    return event;
  }

 private:
  struct Stream {
    SchemaPtr in, out;
    std::unique_ptr<RowText> rows;
    std::string key, text;
    int64_t offset = 0;
  };

  void begin_stream(const StreamBegin& begin) {
    if (begin.stream < streams_.size()) {
      if (streams_[begin.stream]->in->fields == begin.schema->fields) return;
      throw Error(Code::kSchema,
                  "stream " + begin.schema->name + ": its fields change in the middle of its file");
    }
    auto stream = std::make_unique<Stream>();
    stream->in = begin.schema;
    stream->out = std::make_shared<const Schema>(object_schema(begin.schema->name));
    stream->rows = make_(*begin.schema);
    stream->key = key_;
    if (const size_t at = key_.find("{stream}"); at != std::string::npos) {
      stream->key.replace(at, 8, begin.schema->name);
    }
    stream->rows->begin(stream->text);
    out_.push_back(StreamBegin{begin.stream, stream->out});
    streams_.push_back(std::move(stream));
  }

  void give_chunks(uint32_t index, bool last) {
    Stream& stream = *streams_[index];
    if (stream.text.size() < kObjectChunk && !last) return;
    ObjectBuilder batch(stream.out);
    size_t at = 0;
    do {
      const size_t size = std::min(kObjectChunk, stream.text.size() - at);
      if (size < kObjectChunk && !last) break;
      batch.append({stream.key,
                    {},
                    {},
                    {},
                    stream.offset,
                    {stream.text.data() + at, size},
                    last && at + size == stream.text.size()});
      stream.offset += static_cast<int64_t>(size);
      at += size;
    } while (at < stream.text.size());
    stream.text.erase(0, at);
    out_.push_back(BatchEvent{index, batch.finish()});
  }

  Input input_;
  const std::string key_;
  const MakeRowText make_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::deque<Event> out_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Reader> encode_files(Input input, std::string key, MakeRowText make) {
  return std::make_unique<EncodeReader>(std::move(input), std::move(key), std::move(make));
}

std::vector<Schema> object_streams(const std::vector<SchemaPtr>& in) {
  std::vector<Schema> out;
  for (const auto& schema : in) out.push_back(object_schema(schema->name));
  return out;
}

}  // namespace patchbay
