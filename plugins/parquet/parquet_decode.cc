#include "parquet_decode.h"

#include <arrow/util/utf8.h>

#include <optional>

#include "patchbay/object.h"

namespace patchbay {
namespace {

class ParquetReader final : public Reader {
 public:
  ParquetReader(const ParquetDecodeConfig& config, Input input)
      : config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    for (;;) {
      if (file_) {
        if (auto batch = file_->next(call))
          return BatchEvent{streams_.at(stream_).out, std::move(*batch)};
        file_.reset();
      }
      if (chunks_ && row_ < chunks_->rows()) {
        if (auto event = chunk((*chunks_)[row_++])) return std::move(*event);
        continue;
      }
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) {
        begin_stream(*begin);
      } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
        stream_ = batch->stream;
        batch_ = std::move(batch->batch);
        chunks_.emplace(batch_);
        row_ = 0;
      } else {
        if (std::holds_alternative<End>(event)) check_whole();
        return event;
      }
    }
  }

 private:
  struct Stream {
    std::string name;
    SchemaPtr schema;  // null until the first file
    uint32_t out = 0;
    std::unique_ptr<Spool> spool;  // of the file that arrives
  };

  void begin_stream(const StreamBegin& begin) {
    if (!is_object_schema(*begin.schema)) {
      throw Error(Code::kConfig, "stream " + begin.schema->name +
                                     ": is no stream of files; parquet.decode reads files");
    }
    if (begin.stream >= streams_.size()) streams_.resize(begin.stream + 1);
    streams_[begin.stream].name = begin.schema->name;
  }

  std::optional<Event> chunk(const ObjectChunk& chunk) {
    Stream& stream = streams_.at(stream_);
    if (!stream.spool) {
      stream.spool = std::make_unique<Spool>(std::string(chunk.key), config_.spool_memory,
                                             config_.spool_folder);
    }
    stream.spool->append(chunk.data);
    if (!chunk.last) return std::nullopt;
    const auto spool = std::move(stream.spool);
    file_ = std::make_unique<ParquetFile>(config_, stream.name, *spool);
    const bool is_new = !stream.schema;
    if (is_new) {
      stream.schema = std::make_shared<const Schema>(file_->schema());
      stream.out = next_out_++;
    }
    file_->fit(stream.schema);
    if (!is_new) return std::nullopt;
    return StreamBegin{stream.out, stream.schema};
  }

  void check_whole() const {
    for (const auto& stream : streams_) {
      if (stream.spool)
        throw Error(Code::kData, stream.spool->key() + ": ends before its last chunk");
    }
  }

  const ParquetDecodeConfig& config_;
  Input input_;
  std::vector<Stream> streams_;
  uint32_t stream_ = 0, next_out_ = 0;
  Batch batch_;
  std::optional<ObjectView> chunks_;
  int64_t row_ = 0;
  std::unique_ptr<ParquetFile> file_;  // the one whose rows are given
};

}  // namespace

ParquetDecode::ParquetDecode(Context&, const Config& config)
    : config_{config.get_or<std::vector<std::string>>("columns", {}),
              config.get<std::string>("nanoseconds") == "truncate",
              config.get<int64_t>("spool_memory"), config.get<std::string>("spool_folder")} {
  arrow::util::InitializeUTF8();
}

std::unique_ptr<Reader> ParquetDecode::open(Call&, std::vector<Input> inputs) {
  return std::make_unique<ParquetReader>(config_, std::move(inputs.at(0)));
}

}  // namespace patchbay
