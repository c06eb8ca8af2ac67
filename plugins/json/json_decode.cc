#include "json_decode.h"

#include <deque>

#include "patchbay/json_text.h"

namespace patchbay {
namespace {

// RFC 6901: ~1 is a slash, ~0 a tilde.
std::string unescape(std::string_view part) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '~') {
      out += part[i];
      continue;
    }
    const char next = i + 1 < part.size() ? part[++i] : ' ';
    if (next != '0' && next != '1') config_error("records", "after ~ must come 0 or 1");
    out += next == '0' ? '~' : '/';
  }
  return out;
}

std::vector<std::string> parse_pointer(std::string_view pointer) {
  if (!pointer.empty() && pointer[0] != '/')
    config_error("records", "must be a JSON pointer, which begins with /");
  std::vector<std::string> out;
  for (size_t at = 1; at <= pointer.size() && !pointer.empty();) {
    const size_t end = std::min(pointer.find('/', at), pointer.size());
    out.push_back(unescape(pointer.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

JsonDecodeConfig parse_config(const Config& config) {
  JsonDecodeConfig out;
  const std::string format = config.get<std::string>("format");
  out.form = format == "lines"   ? JsonForm::kLines
             : format == "array" ? JsonForm::kArray
                                 : JsonForm::kDocument;
  out.at.path = parse_pointer(config.get<std::string>("records"));
  out.max_record_bytes = static_cast<size_t>(config.get<int64_t>("max_record_bytes"));
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

class JsonReader final : public Reader {
 public:
  JsonReader(const JsonDecodeConfig& config, Input input)
      : config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    while (out_.empty()) pull(call);
    auto* batch = std::get_if<BatchEvent>(&out_.front());
    if (batch && batch->batch.rows() > call.max_rows()) {
      const int64_t n = call.max_rows();
      BatchEvent first{batch->stream, batch->batch.slice(0, n)};
      batch->batch = batch->batch.slice(n, batch->batch.rows() - n);
      return first;
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

  void pull(Call& call) {
    Event event = input_.next(call);
    if (auto* begin = std::get_if<StreamBegin>(&event)) return begin_stream(*begin);
    if (auto* batch = std::get_if<BatchEvent>(&event)) {
      const ObjectView chunks(batch->batch);
      for (int64_t row = 0; row < chunks.rows(); ++row) {
        streams_.at(batch->stream)->stream.add(call, chunks[row]);
        give(*streams_[batch->stream]);
      }
      return;
    }
    if (std::holds_alternative<End>(event)) {
      for (const auto& stream : streams_) stream->stream.check_end();
    }
    out_.push_back(std::move(event));
  }

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

// A document holds them at its place, and arrays on the way are filled up with null.
std::optional<std::string> JsonDecode::file_of(Call&, std::span<const std::string_view> records) {
  const bool lines = config_.form == JsonForm::kLines;
  std::string before, behind, list;
  if (config_.form == JsonForm::kDocument) {
    for (const auto& step : config_.at.path) {
      const bool place = !step.empty() && step.find_first_not_of("0123456789") == step.npos;
      if (place && step.size() > 6) return std::nullopt;
      before += place ? "[" : "{";
      for (int i = 0; place && i < std::stoi(step); ++i) before += "null,";
      if (!place) append_json_string(before, step);
      if (!place) before += ":";
      behind = (place ? "]" : "}") + behind;
    }
  }
  for (const auto& record : records) {
    if (!lines && !list.empty()) list += ",";
    list += record;
    if (lines) list += "\n";
  }
  return lines ? list : before + "[" + list + "]" + behind;
}

}  // namespace patchbay
