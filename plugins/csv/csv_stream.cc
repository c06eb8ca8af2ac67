#include "csv_stream.h"

#include <algorithm>
#include <deque>
#include <future>

#include "csv_guess.h"
#include "csv_rows.h"
#include "patchbay/object.h"

namespace patchbay {
namespace {

constexpr int64_t kBatchRows = 65536;

std::string shown(char delimiter) { return delimiter == '\t' ? "\\t" : std::string(1, delimiter); }

// One stream of files.
struct Stream {
  std::string name;
  SchemaPtr schema;    // null until the first file
  char delimiter = 0;  // 0 = to be guessed by the first file
  uint32_t out = 0;
  std::vector<bool> guessed;
  std::unique_ptr<CsvFile> file;
  std::shared_ptr<const CsvPlan> plan;  // of the file; null until it is ready
};

// What comes next: an event, or rows that may still be in work.
struct Due {
  std::optional<Event> event;
  std::future<ConvertedRows> rows;
  uint32_t out = 0;
};

class CsvReader final : public Reader {
 public:
  CsvReader(Context& context, const CsvDecodeConfig& config, Input input)
      : context_(context), config_(config), input_(std::move(input)) {}

  Event next(Call& call) override {
    for (;;) {
      if (current_) {
        if (auto event = slice(call)) return std::move(*event);
      } else if (is_front_due()) {
        Due due = std::move(due_.front());
        due_.pop_front();
        if (due.event) {
          --events_due_;
          return std::move(*due.event);
        }
        current_ = due.rows.get();
        current_out_ = due.out;
        row_ = 0;
        refused_ = 0;
      } else {
        pull(call);
      }
    }
  }

 private:
  bool is_front_due() const {
    if (due_.empty()) return false;
    if (events_due_ > 0 || due_.size() >= config_.threads) return true;
    return due_.front().rows.wait_for(std::chrono::seconds(0)) != std::future_status::timeout;
  }

  // The next rows of the current batch, after those that were refused before them.
  std::optional<Event> slice(Call& call) {
    const int64_t rows = current_->batch.rows();
    const int64_t n = std::min({kBatchRows, call.max_rows(), rows - row_});
    auto& refused = current_->refused;
    while (refused_ < refused.size() && (refused[refused_].before < row_ + n || row_ + n == rows)) {
      call.reject_record(refused[refused_].why, refused[refused_].record);
      ++refused_;
    }
    const bool whole = row_ == 0 && n == rows;
    std::optional<Event> out;
    if (n > 0) {
      out = BatchEvent{current_out_,
                       whole ? std::move(current_->batch) : current_->batch.slice(row_, n)};
    }
    row_ += n;
    if (row_ == rows) current_.reset();
    return out;
  }

  void pull(Call& call) {
    if (chunks_) {
      take(call, (*chunks_)[chunk_++]);
      if (chunk_ < chunks_->rows()) return;
      chunks_.reset();
      batch_ = Batch();
      return;
    }
    Event event = input_.next(call);
    if (auto* begin = std::get_if<StreamBegin>(&event)) return begin_stream(*begin);
    if (auto* batch = std::get_if<BatchEvent>(&event)) {
      stream_ = batch->stream;
      batch_ = std::move(batch->batch);
      if (batch_.rows() > 0) chunks_.emplace(batch_);
      chunk_ = 0;
      return;
    }
    if (std::holds_alternative<End>(event)) check_ends();
    push(std::move(event));
  }

  void check_ends() const {
    for (const auto& stream : streams_) {
      if (stream.file)
        throw Error(Code::kInternal, stream.file->key() + ": its last chunk never came");
    }
  }

  void push(Event event) {
    due_.push_back({std::move(event), {}, 0});
    ++events_due_;
  }

  void begin_stream(const StreamBegin& begin) {
    if (!is_object_schema(*begin.schema)) {
      throw Error(Code::kConfig, "stream " + begin.schema->name +
                                     ": is no stream of files; csv.decode reads files");
    }
    if (begin.stream >= streams_.size()) streams_.resize(begin.stream + 1);
    streams_[begin.stream].name = begin.schema->name;
    if (!config_.guess_delimiter) streams_[begin.stream].delimiter = config_.dialect.delimiter;
  }

  void take(Call& call, const ObjectChunk& chunk) {
    Stream& stream = streams_.at(stream_);
    if (!stream.file) {
      stream.file = std::make_unique<CsvFile>(config_, std::string(chunk.key), stream.delimiter);
    }
    CsvFile& file = *stream.file;
    file.feed(chunk.data, chunk.last);
    if (!stream.plan && file.is_ready()) begin_file(call, stream);
    CsvBlock block;
    while (stream.plan && file.next(block)) {
      due_.push_back({{}, convert(std::exchange(block, {}), stream.plan), stream.out});
    }
    if (!chunk.last) return;
    stream.file.reset();
    stream.plan.reset();
  }

  std::future<ConvertedRows> convert(CsvBlock block, std::shared_ptr<const CsvPlan> plan) const {
    const auto when = config_.threads > 1 ? std::launch::async : std::launch::deferred;
    return std::async(when, [block = std::move(block), plan = std::move(plan)]() mutable {
      return convert_rows(std::move(block), *plan);
    });
  }

  void begin_file(Call& call, Stream& stream) {
    CsvFile& file = *stream.file;
    if (!file.begin()) {  // there may be more of its first record
      if (config_.header && file.ended())
        context_.log(BAY_LOG_WARN, file.key() + ": is empty: it has no header");
      return;
    }
    auto plan = std::make_shared<CsvPlan>(
        CsvPlan{config_.dialect, file.key(), {}, file.names(), {}, {}, {}, file.header(), {}});
    if (!stream.schema) {
      settle(stream, {stream.name, file.guess_fields(), {}});
      tell_guess(stream, file);
      settle_delimiter(stream, file);
    } else {
      plan->unwanted = grow(call, stream);
    }
    plan->schema = stream.schema;
    plan->guessed = stream.guessed;
    for (const auto& field : stream.schema->fields) {
      const auto at = std::find(file.names().begin(), file.names().end(), field.name);
      plan->places.push_back(
          at == file.names().end() ? -1 : static_cast<int>(at - file.names().begin()));
      plan->columns.emplace_back(field.type);
    }
    stream.plan = std::move(plan);
  }

  void settle(Stream& stream, Schema schema) {
    if (!stream.schema) stream.out = next_out_++;
    for (size_t i = stream.guessed.size(); i < schema.fields.size(); ++i) {
      stream.guessed.push_back(config_.guess && !config_.types.contains(schema.fields[i].name));
    }
    stream.schema = std::make_shared<const Schema>(std::move(schema));
    push(StreamBegin{stream.out, stream.schema});
  }

  void tell_guess(const Stream& stream, const CsvFile& file) const {
    std::string text;
    for (size_t i = 0; i < stream.schema->fields.size(); ++i) {
      if (!stream.guessed[i]) continue;
      const Field& field = stream.schema->fields[i];
      text += (text.empty() ? "" : ", ") + field.name + " " + type_name(field.type);
    }
    if (!text.empty())
      context_.log(BAY_LOG_DEBUG,
                   "stream " + stream.name + ": guessed by " + file.key() + ": " + text);
  }

  void settle_delimiter(Stream& stream, const CsvFile& file) const {
    if (stream.delimiter == 0 && file.delimiter() != config_.dialect.delimiter) {
      context_.log(BAY_LOG_INFO, file.key() + ": the delimiter is \"" + shown(file.delimiter()) +
                                     "\", by its header; the option delimiter says otherwise");
    }
    stream.delimiter = file.delimiter();
    if (file.names().size() != 1 ||
        file.names()[0].find_first_of(kCommonDelimiters) == std::string::npos) {
      return;
    }
    context_.log(BAY_LOG_WARN, file.key() +
                                   ": its header is a single column, though it looks like several; "
                                   "the option delimiter says what is between them");
  }

  // Columns that the stream lacks go by the pipeline's policy. Gives the one for which rows are
  // refused, if there is any.
  std::string grow(Call& call, Stream& stream) {
    const auto& names = stream.file->names();
    const bool known = std::all_of(names.begin(), names.end(), [&](const auto& name) {
      return stream.schema->index_of(name) >= 0;
    });
    if (known) return {};
    Schema schema = *stream.schema;
    std::string unwanted;
    for (auto& field : stream.file->guess_fields()) {
      if (schema.index_of(field.name) >= 0) continue;
      const Change change = call.schema_change(stream.name, field.name, field.type);
      if (change.action == ChangeAction::kReject) unwanted = field.name;
      if (change.action != ChangeAction::kEvolve) continue;
      field.type = change.type;
      schema.fields.push_back(std::move(field));
    }
    if (schema.fields.size() > stream.schema->fields.size()) settle(stream, std::move(schema));
    return unwanted;
  }

  Context& context_;
  const CsvDecodeConfig& config_;
  Input input_;
  std::vector<Stream> streams_;
  uint32_t stream_ = 0, next_out_ = 0;
  Batch batch_;
  std::optional<ObjectView> chunks_;
  int64_t chunk_ = 0;
  std::deque<Due> due_;
  size_t events_due_ = 0;
  std::optional<ConvertedRows> current_;
  uint32_t current_out_ = 0;
  int64_t row_ = 0;
  size_t refused_ = 0;
};

}  // namespace

std::unique_ptr<Reader> read_csv(Context& context, const CsvDecodeConfig& config, Input input) {
  return std::make_unique<CsvReader>(context, config, std::move(input));
}

}  // namespace patchbay
