#include "patchbay/encode_files.h"

#include <algorithm>
#include <deque>

#include "patchbay/object.h"

namespace patchbay {
namespace {

constexpr std::string_view kStreamMark = "{stream}", kPartMark = "{part}";

void fill_in(std::string& key, std::string_view mark, const std::string& value) {
  if (const size_t at = key.find(mark); at != std::string::npos)
    key.replace(at, mark.size(), value);
}

std::string five_digits(int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
}

// The files of one stream.
class StreamFiles {
 public:
  StreamFiles(const FileParts& parts, const MakeFileEncoder& make, SchemaPtr schema)
      : parts_(parts),
        make_(make),
        schema_(std::move(schema)),
        objects_(std::make_shared<const Schema>(object_schema(schema_->name))) {}

  const SchemaPtr& schema() const { return schema_; }
  const SchemaPtr& objects() const { return objects_; }

  void append(Batch batch, std::vector<Batch>& out) {
    while (parts_.rows > 0 && batch.rows() > parts_.rows - rows_) {
      const int64_t take = parts_.rows - rows_;
      if (take > 0) append_rows(batch.slice(0, take), out);
      batch = batch.slice(take, batch.rows() - take);
      end_file(out);
    }
    if (batch.rows() > 0) append_rows(std::move(batch), out);
    if (parts_.bytes > 0 && offset_ + static_cast<int64_t>(bytes_.size()) >= parts_.bytes)
      end_file(out);
  }

  // A stream without rows has one file without rows.
  void end(std::vector<Batch>& out) {
    if (part_ == 0) begin_file();
    if (encoder_) end_file(out);
  }

 private:
  void begin_file() {
    key_ = parts_.key;
    fill_in(key_, kPartMark, five_digits(++part_));
    fill_in(key_, kStreamMark, schema_->name);
    rows_ = offset_ = 0;
    encoder_ = make_(schema_);
    encoder_->begin(bytes_);
  }

  void append_rows(Batch batch, std::vector<Batch>& out) {
    if (!encoder_) begin_file();
    rows_ += batch.rows();
    encoder_->rows(bytes_, std::move(batch));
    if (bytes_.size() >= kObjectChunk) give_chunks(false, out);
  }

  void end_file(std::vector<Batch>& out) {
    encoder_->end(bytes_);
    encoder_.reset();
    give_chunks(true, out);
    rows_ = 0;
  }

  // Whole chunks, and what is left behind them where the file ends here.
  void give_chunks(bool last, std::vector<Batch>& out) {
    size_t at = 0;
    do {
      const size_t size = std::min(kObjectChunk, bytes_.size() - at);
      if (size < kObjectChunk && !last) break;
      ObjectBuilder batch(objects_);
      const bool is_last = last && at + size == bytes_.size();
      batch.append({key_, {}, {}, {}, offset_, {bytes_.data() + at, size}, is_last});
      out.push_back(batch.finish());
      offset_ += static_cast<int64_t>(size);
      at += size;
    } while (at < bytes_.size());
    bytes_.erase(0, at);
  }

  const FileParts& parts_;
  const MakeFileEncoder& make_;
  const SchemaPtr schema_, objects_;
  std::unique_ptr<FileEncoder> encoder_;  // null between files
  std::string key_, bytes_;               // bytes_: not given yet
  int64_t part_ = 0, rows_ = 0, offset_ = 0;
};

class EncodeReader final : public Reader {
 public:
  EncodeReader(Input input, FileParts parts, MakeFileEncoder make)
      : input_(std::move(input)), parts_(std::move(parts)), make_(std::move(make)) {}

  Event next(Call& call) override {
    while (out_.empty()) {
      if (ended_) return End{};
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) {
        begin_stream(*begin);
      } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
        give(batch->stream,
             [&](auto& files, auto& out) { files.append(std::move(batch->batch), out); });
      } else if (std::holds_alternative<End>(event)) {
        ended_ = true;
        for (uint32_t i = 0; i < streams_.size(); ++i)
          give(i, [](auto& files, auto& out) { files.end(out); });
      } else {
        return event;
      }
    }
    Event event = std::move(out_.front());
    out_.pop_front();
    return event;
  }

 private:
  void begin_stream(const StreamBegin& begin) {
    if (begin.stream < streams_.size()) {
      if (streams_[begin.stream]->schema()->fields == begin.schema->fields) return;
      throw Error(Code::kSchema,
                  "stream " + begin.schema->name + ": its fields change in the middle of its file");
    }
    streams_.push_back(std::make_unique<StreamFiles>(parts_, make_, begin.schema));
    out_.push_back(StreamBegin{begin.stream, streams_.back()->objects()});
  }

  template <class Work>
  void give(uint32_t stream, Work work) {
    std::vector<Batch> batches;
    work(*streams_.at(stream), batches);
    for (auto& batch : batches) out_.push_back(BatchEvent{stream, std::move(batch)});
  }

  Input input_;
  const FileParts parts_;
  const MakeFileEncoder make_;
  std::vector<std::unique_ptr<StreamFiles>> streams_;
  std::deque<Event> out_;
  bool ended_ = false;
};

}  // namespace

FileParts file_parts(const Config& config) {
  FileParts parts{config.get<std::string>("key"), config.get<int64_t>("part_rows"),
                  config.get<int64_t>("part_bytes")};
  if ((parts.rows > 0 || parts.bytes > 0) && parts.key.find(kPartMark) == std::string::npos) {
    config_error("key",
                 "must have {part} in it with part_rows or part_bytes, as in "
                 "{stream}-{part}");
  }
  return parts;
}

std::unique_ptr<Reader> encode_files(Input input, FileParts parts, MakeFileEncoder make) {
  return std::make_unique<EncodeReader>(std::move(input), std::move(parts), std::move(make));
}

std::vector<Schema> object_streams(const std::vector<SchemaPtr>& in) {
  std::vector<Schema> out;
  for (const auto& schema : in) out.push_back(object_schema(schema->name));
  return out;
}

}  // namespace patchbay
