#include "csv_file.h"

#include <algorithm>
#include <limits>
#include <set>

#include "patchbay/error.h"
#include "patchbay/text_value.h"

namespace patchbay {

CsvFile::CsvFile(const CsvDecodeConfig& config, std::string key, char delimiter)
    : config_(config),
      key_(std::move(key)),
      delimiter_(delimiter),
      encoding_(config.encoding, key_),
      scanner_(config.dialect, config.max_row_bytes, key_) {
  scanner_.skip_lines(config.skip_lines);
}

void CsvFile::feed(std::string_view bytes, bool last) {
  scanner_.feed(encoding_.feed(bytes, last));
  fed_ += bytes.size();
  if (!last) return;
  ended_ = true;
  scanner_.end();
}

bool CsvFile::begin() {
  const char delimiter =
      delimiter_ != 0 ? delimiter_ : guess_delimiter(scanner_.peek(), config_.dialect);
  scanner_.set_delimiter(delimiter);
  CsvBlock first;
  if (!config_.header && !config_.columns.empty()) {
    names_ = config_.columns;
    check_names();
    return true;
  }
  if (!scanner_.next(0, 1, first)) return false;
  delimiter_ = delimiter;
  name_columns(first);
  check_names();
  if (config_.header) header_ = first.record(first.rows[0]);
  if (!config_.header) scanner_.give_back(std::move(first));
  return true;
}

void CsvFile::name_columns(const CsvBlock& first) {
  if (config_.header && !config_.columns.empty()) {
    names_ = config_.columns;
    if (names_.size() == first.columns) return;
    throw Error(Code::kData, key_ + ": the header has " + std::to_string(first.columns) +
                                 " fields, and the option columns names " +
                                 std::to_string(names_.size()));
  }
  for (size_t i = 0; i < first.columns; ++i) {
    std::string name(config_.header ? first.fields[i].in(first.text.data()) : "");
    if (!is_utf8(name) || name.find('\0') != std::string::npos) {
      throw Error(Code::kData, key_ + ": line " + std::to_string(first.first_line) +
                                   ": the header is no UTF-8 text; set encoding to the file's own");
    }
    if (name.empty()) name = "column_" + std::to_string(i + 1);
    names_.push_back(std::move(name));
  }
}

void CsvFile::check_names() const {
  std::set<std::string> seen;
  for (const auto& name : names_) {
    if (!seen.insert(name).second) {
      throw Error(Code::kData,
                  key_ + ": two columns are called " + name + "; name them with columns: [..]");
    }
  }
  for (const auto& [name, type] : config_.types) {
    if (!seen.contains(name)) {
      throw Error(Code::kConfig, "types: " + key_ + " has no column " + name);
    }
  }
}

std::vector<Field> CsvFile::guess_fields() {
  CsvBlock block;
  if (!sample_ && next(block)) sample_ = std::move(block);
  std::vector<Field> out;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto declared = config_.types.find(names_[i]);
    Type type = scalar(TypeId::kUtf8);
    if (declared != config_.types.end()) {
      type = declared->second;
    } else if (config_.guess && sample_) {
      type = guess_column(i);
    }
    out.push_back({names_[i], type, true});
  }
  return out;
}

Type CsvFile::guess_column(size_t column) const {
  TypeGuess guess;
  const char* text = sample_->text.data();
  for (size_t row = 0; row < sample_->rows.size(); ++row) {
    const CsvField& field = sample_->fields[row * sample_->columns + column];
    const std::string_view value = field.in(text);
    const bool null = field.escaped_null() || (!field.quoted() && config_.dialect.is_null(value));
    if (!null && !value.empty()) guess.see(value);
  }
  return guess.type();
}

bool CsvFile::next(CsvBlock& block) {
  if (sample_) {
    block = std::move(*sample_);
    sample_.reset();
    return true;
  }
  return scanner_.next(static_cast<uint32_t>(names_.size()), std::numeric_limits<size_t>::max(),
                       block);
}

}  // namespace patchbay
