#include "json_decode.h"

#include <deque>

#include "patchbay/json_text.h"
#include "patchbay/object.h"

namespace patchbay {
namespace {

constexpr size_t kLargestDocument = 256 << 20;  // arrays and documents are parsed whole

JsonDecodeConfig parse_config(const Config& config) {
  JsonDecodeConfig out;
  out.at.lines = config.get<std::string>("format") == "lines";
  const std::string pointer = config.get<std::string>("records");
  if (!pointer.empty() && pointer[0] != '/')
    config_error("records", "must be a JSON pointer, which begins with /");
  for (size_t at = 1; at < pointer.size();) {
    const size_t end = std::min(pointer.find('/', at), pointer.size());
    out.at.path.push_back(pointer.substr(at, end - at));
    at = end + 1;
  }
  const Json::Value& schema = config.at("schema");
  if (!schema.isObject()) return out;
  out.fields.emplace();
  for (const auto& name : schema.getMemberNames()) {
    try {
      out.fields->push_back({name, parse_type(schema[name].asString()), true});
    } catch (const Error& error) {
      config_error("schema." + name, error.what());
    }
  }
  return out;
}

// The records of one stream's files.
class JsonStream {
 public:
  JsonStream(const JsonDecodeConfig& config, std::string name)
      : config_(config), name_(std::move(name)) {}

  void add(Call& call, const ObjectChunk& chunk) {
    if (chunk.offset == 0) begin_file(chunk.key);
    text_ += chunk.data;
    if (config_.at.lines) {
      const size_t end =
          chunk.last ? text_.size() : text_.rfind('\n') + 1;  // npos + 1 = nothing whole yet
      if (end > 0) parse(call, end);
    } else if (chunk.last) {
      if (!is_json(text_)) throw Error(Code::kData, file_ + ": is no JSON, or is cut");
      parse(call, text_.size());
    } else if (text_.size() > kLargestDocument) {
      throw Error(Code::kData,
                  file_ + ": is larger than 256 MiB, which format lines could read, but not " +
                      (config_.at.path.empty() ? "array" : "document"));
    }
  }

  SchemaPtr schema() const { return records_ ? records_->schema() : nullptr; }
  std::vector<Batch> take() { return records_ ? records_->take(true) : std::vector<Batch>{}; }

 private:
  void begin_file(std::string_view key) {
    file_ = key;
    text_.clear();
    before_ = records_ ? records_->records() : 0;
  }

  void parse(Call& call, size_t size) {
    if (!records_) {
      Schema schema{
          name_,
          config_.fields ? *config_.fields : guess_json_fields(text_.substr(0, size), config_.at),
          {}};
      records_ = std::make_unique<JsonRecords>(std::move(schema), [this](std::string_view) {
        std::string position = "{\"file\":";
        append_json_string(position, file_);
        return position + ",\"record\":" + std::to_string(records_->records() - before_) + "}";
      });
    }
    records_->parse(call, text_.substr(0, size), config_.at, file_);
    text_.erase(0, size);
  }

  const JsonDecodeConfig& config_;
  const std::string name_;
  std::string file_, text_;
  int64_t before_ = 0;  // records of earlier files
  std::unique_ptr<JsonRecords> records_;
};

class JsonReader final : public Reader {
 public:
  JsonReader(const JsonDecodeConfig& config, Input input)
      : config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    while (out_.empty()) {
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) {
        begin_stream(*begin);
      } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
        const ObjectView chunks(batch->batch);
        for (int64_t row = 0; row < chunks.rows(); ++row) {
          streams_.at(batch->stream)->stream.add(call, chunks[row]);
          give(*streams_[batch->stream]);
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
    JsonStream stream;
    SchemaPtr announced;
    uint32_t out;
  };

  void begin_stream(const StreamBegin& begin) {
    if (!is_object_schema(*begin.schema)) {
      throw Error(Code::kConfig, "stream " + begin.schema->name +
                                     ": is no stream of files; json.decode reads files");
    }
    if (begin.stream < streams_.size()) return;
    streams_.push_back(
        std::make_unique<Stream>(Stream{JsonStream(config_, begin.schema->name), nullptr, 0}));
  }

  void announce(Stream& stream, const SchemaPtr& schema) {
    if (stream.announced == schema) return;
    if (!stream.announced) stream.out = next_out_++;
    stream.announced = schema;
    out_.push_back(StreamBegin{stream.out, schema});
  }

  void give(Stream& stream) {
    for (auto& batch : stream.stream.take()) {
      announce(stream, batch.schema());
      out_.push_back(BatchEvent{stream.out, std::move(batch)});
    }
    if (stream.stream.schema()) announce(stream, stream.stream.schema());
  }

  const JsonDecodeConfig& config_;
  Input input_;
  std::vector<std::unique_ptr<Stream>> streams_;
  uint32_t next_out_ = 0;
  std::deque<Event> out_;
};

}  // namespace

JsonDecode::JsonDecode(Context&, const Config& config) : config_(parse_config(config)) {}

std::unique_ptr<Reader> JsonDecode::open(Call&, std::vector<Input> inputs) {
  return std::make_unique<JsonReader>(config_, std::move(inputs.at(0)));
}

}  // namespace patchbay
