// The records of one stream of JSON files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "json_splitter.h"
#include "patchbay/json_records.h"
#include "patchbay/object.h"

namespace patchbay {

enum class JsonForm { kLines, kArray, kDocument };

struct JsonDecodeConfig {
  JsonForm form = JsonForm::kLines;
  RecordsAt at;
  std::optional<std::vector<Field>> fields;  // declared; otherwise guessed
  size_t max_record_bytes = 0;
};

// Lines and arrays are read as they come; a document is kept until it is whole.
class JsonStream {
 public:
  JsonStream(const JsonDecodeConfig& config, std::string name)
      : config_(config), name_(std::move(name)) {}

  void add(Call& call, const ObjectChunk& chunk);
  void check_end() const;  // throws where a file's last chunk never came
  SchemaPtr schema() const { return records_ ? records_->schema() : nullptr; }
  std::vector<Batch> take() { return records_ ? records_->take(true) : std::vector<Batch>{}; }

 private:
  struct Kept {
    std::string text;
    int64_t line;
    bool at_the_end;
  };

  void begin_file(std::string_view key);
  void begin_records(std::vector<Field> fields);
  void split(Call& call, const ObjectChunk& chunk);
  void keep_sample();
  void parse_sample(Call& call);
  void parse(Call& call, const JsonSplitter::Record& record);
  void add_to_document(Call& call, const ObjectChunk& chunk);
  std::string position() const;

  const JsonDecodeConfig& config_;
  const std::string name_;
  std::string file_;
  bool in_file_ = false;
  std::unique_ptr<JsonSplitter> splitter_;
  std::string document_;
  std::vector<Kept> sample_;  // until the fields are guessed
  size_t sampled_ = 0;        // bytes
  std::unique_ptr<JsonRecords> records_;
  int64_t before_ = 0;  // records of earlier files
  int64_t line_ = 0;    // of the record in work; 0 = in a document
};

}  // namespace patchbay
