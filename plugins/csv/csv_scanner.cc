#include "csv_scanner.h"

#include <algorithm>

namespace patchbay {

void CsvScanner::feed(std::string_view data) {
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_ += data;
}

bool CsvScanner::next(std::vector<CsvField>& fields) {
  for (;;) {
    fields.clear();
    unquoted_used_ = 0;
    size_t at = at_;
    if (at == buffer_.size() || !scan(fields, at)) return false;
    record_ = std::string_view(buffer_).substr(at_, at - at_);
    record_line_ = line_;
    line_ += std::count(record_.begin(), record_.end(), '\n');
    while (record_.ends_with('\n') || record_.ends_with('\r')) record_.remove_suffix(1);
    at_ = at;
    if (!record_.empty()) return true;
  }
}

// Leaves `at` behind the record's end. False where the end is not there yet.
bool CsvScanner::scan(std::vector<CsvField>& fields, size_t& at) {
  const char stops[] = {dialect_.delimiter, '\n', '\r'};
  for (;;) {
    CsvField field;
    if (dialect_.quote != 0 && at < buffer_.size() && buffer_[at] == dialect_.quote) {
      if (!scan_quoted(at, field)) return false;
    } else {
      const size_t end = buffer_.find_first_of(stops, at, sizeof stops);
      if (end == std::string::npos && !ended_) return false;
      const size_t stop = std::min(end, buffer_.size());
      field.text = std::string_view(buffer_).substr(at, stop - at);
      at = stop;
    }
    fields.push_back(field);
    if (at == buffer_.size()) return ended_;
    const char stop = buffer_[at++];
    if (stop == dialect_.delimiter) continue;
    if (stop == '\r') {
      if (at == buffer_.size() && !ended_) return false;
      if (at < buffer_.size() && buffer_[at] == '\n') ++at;
    }
    return true;
  }
}

bool CsvScanner::scan_quoted(size_t& at, CsvField& field) {
  field.quoted = true;
  const size_t begin = ++at;
  bool doubled = false;
  for (;;) {
    at = buffer_.find(dialect_.quote, at);
    if (at == std::string::npos || (at + 1 == buffer_.size() && !ended_)) return false;
    if (at + 1 == buffer_.size() || buffer_[at + 1] != dialect_.quote) break;
    doubled = true;
    at += 2;
  }
  field.text = std::string_view(buffer_).substr(begin, at - begin);
  ++at;
  // What stands between the closing quote and the next stop belongs to the field as it is.
  const char stops[] = {dialect_.delimiter, '\n', '\r'};
  const size_t stop = std::min(buffer_.find_first_of(stops, at, sizeof stops), buffer_.size());
  if (stop == buffer_.size() && !ended_) return false;
  if (!doubled && stop == at) return true;
  if (unquoted_used_ == unquoted_.size()) unquoted_.emplace_back();
  std::string& text = unquoted_[unquoted_used_++];
  text.clear();
  for (size_t i = 0; i < field.text.size(); ++i) {
    text += field.text[i];
    if (field.text[i] == dialect_.quote) ++i;
  }
  text.append(buffer_, at, stop - at);
  at = stop;
  field.text = text;
  return true;
}

}  // namespace patchbay
