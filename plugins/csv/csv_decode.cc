#include "csv_decode.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

#include "csv_guess.h"
#include "patchbay/json_text.h"
#include "patchbay/object.h"
#include "patchbay/text_value.h"

namespace patchbay {
namespace {

constexpr int64_t kBatchRows = 16384;
constexpr int64_t kBatchBytes = 8 << 20;

CsvDecodeConfig parse_config(const Config& config) {
  CsvDecodeConfig out;
  const std::string quote = config.get<std::string>("quote");
  out.dialect = {config.get<std::string>("delimiter")[0], quote.empty() ? '\0' : quote[0]};
  out.header = config.get<bool>("header");
  out.guess = config.get<bool>("guess");
  out.null = config.get<std::string>("null");
  out.latin1 = config.get<std::string>("encoding") == "latin1";
  out.columns = config.get_or<std::vector<std::string>>("columns", {});
  for (const auto& name : config.at("types").getMemberNames()) {
    try {
      out.types[name] = parse_type(config.at("types")[name].asString());
    } catch (const Error& error) {
      config_error("types." + name, error.what());
    }
  }
  if (!out.header && out.columns.empty())
    config_error("columns", "missing, needed with header: false");
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | u >> 6);
      out += static_cast<char>(0x80 | (u & 0x3f));
    }
  }
  return out;
}

// The rows of one file. The schema is settled by the first file of the stream; later ones fill it
// by column name.
class CsvFile {
 public:
  CsvFile(const CsvDecodeConfig& config, std::string stream, std::string key)
      : config_(config),
        stream_(std::move(stream)),
        key_(std::move(key)),
        scanner_(config.dialect) {}

  const std::string& key() const { return key_; }

  void feed(std::string_view data, bool last) {
    if (first_ && data.starts_with("\xef\xbb\xbf")) data.remove_prefix(3);
    first_ = false;
    if (config_.latin1) {
      scanner_.feed(from_latin1(data));
    } else {
      scanner_.feed(data);
    }
    if (last) scanner_.end();
    last_ = last;
  }

  // The schema by this file's header and first rows. Keeps the rows that it had to look at.
  Schema guess_schema() {
    read_header();
    std::vector<TypeGuess> guesses(names_.size());
    std::vector<CsvField> fields;
    while (scanner_.next(fields)) {
      keep(fields);
      for (size_t i = 0; i < fields.size() && i < guesses.size(); ++i) {
        if (!is_null(fields[i]) && !fields[i].text.empty()) guesses[i].see(fields[i].text);
      }
    }
    check_quotes();
    Schema schema{stream_, {}, {}};
    for (size_t i = 0; i < names_.size(); ++i) {
      const auto declared = config_.types.find(names_[i]);
      const Type type = declared != config_.types.end() ? declared->second
                        : config_.guess                 ? guesses[i].type()
                                                        : scalar(TypeId::kUtf8);
      schema.fields.push_back({names_[i], type, true});
    }
    check_types();
    return schema;
  }

  // Where each column of the schema is in this file; -1 = missing, then null. Further columns are
  // an error.
  void map_columns(const Schema& schema) {
    read_header();
    position_.assign(schema.fields.size(), -1);
    for (size_t i = 0; i < names_.size(); ++i) {
      const int at = schema.index_of(names_[i]);
      if (at < 0) {
        throw Error(Code::kSchema,
                    key_ + ": column " + names_[i] + " is not in the first file of stream " +
                        stream_ +
                        "; read such files in a pipeline of their own, or declare columns");
      }
      position_[static_cast<size_t>(at)] = static_cast<int>(i);
    }
  }

  // Appends rows until the batch is full or the data is used up; true while there may be more.
  bool append_rows(Call& call, BatchBuilder& batch, const std::vector<TextAppender>& columns) {
    std::vector<CsvField> fields;
    const int64_t most = std::min(kBatchRows, call.max_rows());
    while (next(fields)) {
      append_row(call, fields, batch, columns);
      if (batch.rows() >= most || batch.bytes() >= kBatchBytes) return true;
    }
    check_quotes();
    return false;
  }

 private:
  struct Kept {
    std::vector<std::string> texts;
    std::vector<bool> quoted;
    int64_t line;
    std::string record;
  };

  void read_header() {
    if (has_names_) return;
    has_names_ = true;
    std::vector<CsvField> fields;
    if (config_.header && !scanner_.next(fields)) {
      throw Error(Code::kData,
                  key_ + ": is empty; it should begin with a header, or set header: false");
    }
    for (const auto& field : fields) names_.emplace_back(field.text);
    if (!config_.columns.empty()) names_ = config_.columns;
    std::set<std::string> seen;
    for (const auto& name : names_) {
      if (!seen.insert(name).second)
        throw Error(Code::kData, key_ + ": two columns are called " + name);
    }
  }

  void check_quotes() const {
    if (!last_ || !scanner_.inside_quotes()) return;
    throw Error(Code::kData, key_ + ": a quote is never closed; it opens after line " +
                                 std::to_string(scanner_.line()));
  }

  void check_types() const {
    for (const auto& [name, type] : config_.types) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        config_error("types", key_ + " has no column " + name);
      }
    }
  }

  bool is_null(const CsvField& field) const { return !field.quoted && field.text == config_.null; }

  void keep(const std::vector<CsvField>& fields) {
    Kept kept{{}, {}, scanner_.line(), std::string(scanner_.record())};
    for (const auto& field : fields) {
      kept.texts.emplace_back(field.text);
      kept.quoted.push_back(field.quoted);
    }
    kept_.push_back(std::move(kept));
  }

  bool next(std::vector<CsvField>& fields) {
    if (kept_.empty()) {
      if (!scanner_.next(fields)) return false;
      line_ = scanner_.line();
      record_ = scanner_.record();
      return true;
    }
    current_ = std::move(kept_.front());
    kept_.pop_front();
    fields.clear();
    for (size_t i = 0; i < current_.texts.size(); ++i)
      fields.push_back({current_.texts[i], current_.quoted[i]});
    line_ = current_.line;
    record_ = current_.record;
    return true;
  }

  void append_row(Call& call, const std::vector<CsvField>& fields, BatchBuilder& batch,
                  const std::vector<TextAppender>& columns) {
    if (fields.size() != names_.size()) {
      return reject(call, "columns",
                    std::to_string(fields.size()) + " fields where there are " +
                        std::to_string(names_.size()) + " columns",
                    "");
    }
    const int64_t before = batch.rows();
    for (size_t i = 0; i < columns.size(); ++i) {
      const CsvField* field =
          position_[i] < 0 ? nullptr : &fields[static_cast<size_t>(position_[i])];
      if (!field || is_null(*field)) {
        columns[i].append_null();
      } else if (!columns[i].append(field->text)) {
        batch.truncate(before);
        const Field& column = batch.schema()->fields[i];
        return reject(call, "type",
                      column.name + ": expected " + type_name(column.type) + ", found other text",
                      column.name);
      }
    }
  }

  void reject(Call& call, const std::string& code, const std::string& reason,
              const std::string& column) const {
    std::string position = "{\"file\":", record = "{\"line\":";
    append_json_string(position, key_);
    position += ",\"line\":" + std::to_string(line_);
    if (!column.empty()) {
      position += ",\"column\":";
      append_json_string(position, column);
    }
    append_json_string(record, record_);
    call.reject_record({stream_, code, reason, position + "}"}, record + "}");
  }

  const CsvDecodeConfig& config_;
  const std::string stream_, key_;
  CsvScanner scanner_;
  bool first_ = true, last_ = false, has_names_ = false;
  std::vector<std::string> names_;
  std::vector<int> position_;
  std::deque<Kept> kept_;
  Kept current_;
  int64_t line_ = 0;
  std::string_view record_;
};

class CsvReader final : public Reader {
 public:
  CsvReader(const CsvDecodeConfig& config, Input input)
      : config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    for (;;) {
      if (more_) {
        if (auto event = rows(call)) return std::move(*event);
      }
      if (chunks_ && row_ < chunks_->rows()) {
        if (auto event = chunk(call)) return std::move(*event);
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
        return event;
      }
    }
  }

 private:
  struct Stream {
    std::string name;
    SchemaPtr schema;  // null until the first file
    uint32_t out = 0;
    std::unique_ptr<BatchBuilder> batch;
    std::vector<TextAppender> columns;
  };

  void begin_stream(const StreamBegin& begin) {
    if (!is_object_schema(*begin.schema)) {
      throw Error(Code::kConfig, "stream " + begin.schema->name +
                                     ": is no stream of files; csv.decode reads files");
    }
    if (begin.stream >= streams_.size()) streams_.resize(begin.stream + 1);
    streams_[begin.stream].name = begin.schema->name;
  }

  std::optional<Event> chunk(Call& call) {
    Stream& stream = streams_.at(stream_);
    const ObjectChunk chunk = (*chunks_)[row_++];
    if (!file_) file_ = std::make_unique<CsvFile>(config_, stream.name, std::string(chunk.key));
    const bool first = chunk.offset == 0;
    file_->feed(chunk.data, chunk.last);
    last_ = chunk.last;
    more_ = true;
    if (!first) return rows(call);
    if (chunk.last && chunk.data.empty()) {
      file_.reset();
      more_ = false;
      return std::nullopt;  // an empty file has no rows
    }
    const bool is_new = !stream.schema;
    if (is_new) stream.schema = std::make_shared<const Schema>(file_->guess_schema());
    file_->map_columns(*stream.schema);
    if (!is_new) return rows(call);
    stream.out = next_out_++;
    stream.batch = std::make_unique<BatchBuilder>(stream.schema);
    for (size_t i = 0; i < stream.schema->fields.size(); ++i) {
      stream.columns.emplace_back(stream.schema->fields[i].type, stream.batch->column(i));
    }
    return StreamBegin{stream.out, stream.schema};
  }

  std::optional<Event> rows(Call& call) {
    Stream& stream = streams_.at(stream_);
    more_ = file_->append_rows(call, *stream.batch, stream.columns);
    if (!more_ && last_) file_.reset();
    if (stream.batch->rows() == 0) return std::nullopt;
    return BatchEvent{stream.out, stream.batch->finish()};
  }

  const CsvDecodeConfig& config_;
  Input input_;
  std::vector<Stream> streams_;
  uint32_t stream_ = 0, next_out_ = 0;
  Batch batch_;
  std::optional<ObjectView> chunks_;
  int64_t row_ = 0;
  std::unique_ptr<CsvFile> file_;
  bool more_ = false, last_ = false;
};

}  // namespace

CsvDecode::CsvDecode(Context&, const Config& config) : config_(parse_config(config)) {}

std::unique_ptr<Reader> CsvDecode::open(Call&, std::vector<Input> inputs) {
  return std::make_unique<CsvReader>(config_, std::move(inputs.at(0)));
}

}  // namespace patchbay
