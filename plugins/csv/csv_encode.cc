#include "csv_encode.h"

#include <deque>

#include "patchbay/object.h"
#include "patchbay/text_value.h"

namespace patchbay {
namespace {

// The text of one stream's file, handed out in chunks.
class CsvText {
 public:
  CsvText(const CsvEncodeConfig& config, const Schema& schema) : config_(config) {
    for (size_t i = 0; config_.header && i < schema.fields.size(); ++i) {
      if (i > 0) text_ += config_.dialect.delimiter;
      put(schema.fields[i].name, true);
    }
    if (config_.header) text_ += '\n';
  }

  void add(const Batch& batch) {
    std::vector<std::unique_ptr<TextColumn>> columns;
    for (size_t i = 0; i < batch.schema()->fields.size(); ++i) {
      columns.push_back(text_column(batch.schema()->fields[i].type, *batch.array().children[i],
                                    batch.array().offset, batch.rows()));
    }
    for (int64_t row = 0; row < batch.rows(); ++row) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) text_ += config_.dialect.delimiter;
        if (columns[i]->is_null(row)) {
          text_ += config_.null;
          continue;
        }
        value_.clear();
        columns[i]->append(value_, row);
        put(value_, value_ != config_.null);
      }
      // A line of its own that is empty would be skipped by readers.
      if (columns.size() == 1 && text_.ends_with('\n'))
        text_ += std::string(2, config_.dialect.quote);
      text_ += '\n';
    }
  }

  const std::string& text() const { return text_; }
  void drop(size_t n) { text_.erase(0, n); }

 private:
  void put(std::string_view value, bool may_be_plain) {
    const char special[] = {config_.dialect.delimiter, config_.dialect.quote, '\n', '\r'};
    if (may_be_plain && !value.empty() &&
        value.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
      text_ += value;
      return;
    }
    text_ += config_.dialect.quote;
    for (const char c : value) {
      if (c == config_.dialect.quote) text_ += c;
      text_ += c;
    }
    text_ += config_.dialect.quote;
  }

  const CsvEncodeConfig& config_;
  std::string text_, value_;
};

class CsvEncodeReader final : public Reader {
 public:
  CsvEncodeReader(const CsvEncodeConfig& config, Input input)
      : config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    while (out_.empty()) {
      if (ended_) return End{};
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) {
        begin_stream(*begin);
      } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
        streams_.at(batch->stream)->text.add(batch->batch);
        give_chunks(batch->stream, false);
      } else if (std::holds_alternative<End>(event)) {
        ended_ = true;
        for (uint32_t i = 0; i < streams_.size(); ++i) give_chunks(i, true);
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
    CsvText text;
    int64_t offset = 0;
  };

  void begin_stream(const StreamBegin& begin) {
    if (begin.stream < streams_.size()) {
      if (streams_[begin.stream]->in->fields == begin.schema->fields) return;
      throw Error(Code::kSchema, "stream " + begin.schema->name +
                                     ": its fields change in the middle of its CSV file");
    }
    auto out = std::make_shared<const Schema>(object_schema(begin.schema->name));
    streams_.push_back(
        std::make_unique<Stream>(Stream{begin.schema, out, CsvText(config_, *begin.schema), 0}));
    out_.push_back(StreamBegin{begin.stream, out});
  }

  void give_chunks(uint32_t index, bool last) {
    Stream& stream = *streams_[index];
    std::string key = config_.key;
    if (const size_t at = key.find("{stream}"); at != std::string::npos)
      key.replace(at, 8, stream.in->name);
    const std::string& text = stream.text.text();
    if (text.size() < kObjectChunk && !last) return;
    ObjectBuilder batch(stream.out);
    size_t at = 0;
    do {
      const size_t size = std::min(kObjectChunk, text.size() - at);
      if (size < kObjectChunk && !last) break;
      batch.append({key,
                    {},
                    {},
                    {},
                    stream.offset,
                    {text.data() + at, size},
                    last && at + size == text.size()});
      stream.offset += static_cast<int64_t>(size);
      at += size;
    } while (at < text.size());
    stream.text.drop(at);
    out_.push_back(BatchEvent{index, batch.finish()});
  }

  const CsvEncodeConfig& config_;
  Input input_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::deque<Event> out_;
  bool ended_ = false;
};

}  // namespace

CsvEncode::CsvEncode(Context&, const Config& config)
    : config_{{config.get<std::string>("delimiter")[0], config.get<std::string>("quote")[0]},
              config.get<bool>("header"),
              config.get<std::string>("null"),
              config.get<std::string>("key")} {}

std::vector<Schema> CsvEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  std::vector<Schema> out;
  for (const auto& schema : in) out.push_back(object_schema(schema->name));
  return out;
}

std::unique_ptr<Reader> CsvEncode::open(Call&, std::vector<Input> inputs) {
  return std::make_unique<CsvEncodeReader>(config_, std::move(inputs.at(0)));
}

}  // namespace patchbay
