#include "json_stream.h"

#include "patchbay/json_text.h"

namespace patchbay {
namespace {

constexpr size_t kLargestDocument = 256 << 20;
constexpr size_t kSample = 1 << 20;
constexpr size_t kPadding = 64;

}  // namespace

void JsonStream::add(Call& call, const ObjectChunk& chunk) {
  if (!in_file_) begin_file(chunk.key);
  if (splitter_) {
    split(call, chunk);
  } else {
    add_to_document(call, chunk);
  }
  in_file_ = !chunk.last;
}

void JsonStream::check_end() const {
  if (in_file_) throw Error(Code::kInternal, file_ + ": its last chunk never came");
}

void JsonStream::begin_file(std::string_view key) {
  file_ = key;
  before_ = records_ ? records_->records() : 0;
  line_ = 0;
  document_.clear();
  if (config_.form == JsonForm::kDocument) return;
  splitter_ = std::make_unique<JsonSplitter>(config_.form == JsonForm::kLines,
                                             config_.max_record_bytes, file_);
}

void JsonStream::begin_records(std::vector<Field> fields) {
  records_ = std::make_unique<JsonRecords>(Schema{name_, std::move(fields), {}},
                                           [this](std::string_view) { return position(); });
}

std::string JsonStream::position() const {
  std::string out = "{\"file\":";
  append_json_string(out, file_);
  if (line_ > 0) out += ",\"line\":" + std::to_string(line_);
  return out + ",\"record\":" + std::to_string(records_->records() - before_) + "}";
}

void JsonStream::split(Call& call, const ObjectChunk& chunk) {
  splitter_->feed(chunk.data, chunk.last);
  sampled_ += chunk.data.size();
  if (!records_ && config_.fields) begin_records(*config_.fields);
  if (!records_) {
    keep_sample();
    if (sampled_ < kSample && !chunk.last) return;
    parse_sample(call);
  }
  for (JsonSplitter::Record record; splitter_->next(record);) parse(call, record);
}

void JsonStream::keep_sample() {
  for (JsonSplitter::Record record; splitter_->next(record);)
    sample_.push_back({std::string(record.text), record.line, record.at_the_end});
}

void JsonStream::parse_sample(Call& call) {
  if (sample_.empty()) return;
  JsonGuess guess;
  for (const auto& one : sample_) guess.see(one.text);
  begin_records(guess.fields());
  for (auto& one : sample_) {
    const size_t size = one.text.size();
    one.text.resize(size + kPadding);
    parse(call,
          {std::string_view(one.text).substr(0, size), one.text.size(), one.line, one.at_the_end});
  }
  sample_ = {};
}

void JsonStream::parse(Call& call, const JsonSplitter::Record& record) {
  line_ = record.line;
  const auto why = records_->parse_record(call, record.text, record.readable);
  if (!why) return;
  if (record.at_the_end) {
    throw Error(Code::kData, file_ + ": line " + std::to_string(line_) +
                                 ": the file is cut, its last record " + *why);
  }
  records_->refuse_text(call, *why, record.text);
}

void JsonStream::add_to_document(Call& call, const ObjectChunk& chunk) {
  document_ += chunk.data;
  if (document_.size() > kLargestDocument) {
    throw Error(Code::kData, file_ +
                                 ": is larger than 256 MiB, which formats lines and array can "
                                 "read, but not document");
  }
  if (!chunk.last) return;
  if (document_.starts_with("\xef\xbb\xbf")) document_.erase(0, 3);
  if (!records_) {
    auto fields = config_.fields ? config_.fields : guess_json_fields(document_, config_.at);
    if (!fields) throw Error(Code::kData, file_ + ": is no JSON, or is cut");
    begin_records(std::move(*fields));
  }
  const auto why = records_->parse(call, std::exchange(document_, {}), config_.at, file_);
  if (why) throw Error(Code::kData, file_ + ": is no JSON, or is cut: " + *why);
}

}  // namespace patchbay
