#include "csv_scanner.h"

#include <algorithm>
#include <bit>

#include "patchbay/error.h"

namespace patchbay {
namespace {

// One way through a block's text, from mark to mark.
class Pass {
 public:
  Pass(const CsvDialect& dialect, CsvBlock& block, size_t most, bool last)
      : dialect_(dialect), block_(block), most_(most), size_(block.text.size()), last_(last) {
    text_ = block.text.data();
  }

  // Where the whole records end.
  size_t run(const std::vector<uint64_t>& marks) {
    for (size_t word = 0; word < marks.size(); ++word) {
      for (uint64_t bits = marks[word]; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        if (at < skip_) continue;
        const bool go_on = inside_ ? inside(at) : outside(at);
        if (!go_on) return record_begin_;
      }
    }
    if (last_ && !inside_ && record_begin_ < size_) end_record(size_, size_);
    return record_begin_;
  }

  bool inside_quotes() const { return inside_; }
  int64_t lines() const { return record_lines_; }

 private:
  // Both are false where the pass ends: the rest can't be told yet, or enough was found.
  bool outside(size_t at) {
    const char c = text_[at];
    if (c == dialect_.delimiter) {
      end_field(at);
      return true;
    }
    if (c == '\n') return end_record(at, at + 1);
    if (c == '\r') {
      if (at + 1 == size_ && !last_) return false;
      const bool two = at + 1 < size_ && text_[at + 1] == '\n';
      skip_ = at + 1 + two;
      return end_record(at, skip_);
    }
    if (c == dialect_.quote && at == field_begin_) {
      inside_ = quoted_ = true;
      return true;
    }
    // Where there are quotes, it means something inside them only, as PostgreSQL has it.
    if (c == dialect_.escape && dialect_.quote == 0) return escape(at);
    return true;
  }

  bool inside(size_t at) {
    const char c = text_[at];
    if (c == dialect_.quote) {
      if (at + 1 == size_ && !last_) return false;
      if (at + 1 < size_ && text_[at + 1] == dialect_.quote) {
        changed_ = true;
        skip_ = at + 2;
      } else {
        inside_ = false;
        close_ = at;
      }
    } else if (c == dialect_.escape) {
      return escape(at);
    } else if (c == '\n' || (c == '\r' && (at + 1 == size_ || text_[at + 1] != '\n'))) {
      ++lines_;
    }
    return true;
  }

  bool escape(size_t at) {
    if (at + 1 == size_) return last_;
    if (text_[at + 1] == '\n') ++lines_;
    changed_ = true;
    skip_ = at + 2;
    return true;
  }

  void end_field(size_t at) {
    if (!quoted_ && !changed_) {
      block_.fields.emplace_back(field_begin_, at - field_begin_, 0);
    } else if (quoted_ && !changed_ && close_ + 1 == at) {
      block_.fields.emplace_back(field_begin_ + 1, close_ - field_begin_ - 1, CsvField::kQuoted);
    } else {
      put_together(at);
    }
    field_begin_ = at + 1;
    quoted_ = changed_ = false;
  }

  bool end_record(size_t at, size_t next) {
    const size_t first = block_.rows.size() * block_.columns;
    const CsvBlock::Record record{static_cast<uint32_t>(record_begin_), static_cast<uint32_t>(at)};
    record_lines_ = ++lines_;
    record_begin_ = next;
    if (at == record.begin && block_.columns != 1) {  // nothing on the line
      field_begin_ = next;
      return true;
    }
    end_field(at);
    field_begin_ = next;
    const size_t fields = block_.fields.size() - first;
    if (block_.columns == 0) block_.columns = static_cast<uint32_t>(fields);
    if (fields == block_.columns) {
      block_.rows.push_back(record);
    } else {
      block_.fields.resize(first, CsvField(0, 0, 0));
      block_.ragged.push_back({record, static_cast<uint32_t>(fields)});
    }
    return block_.rows.size() + block_.ragged.size() < most_;
  }

  // Doubled quotes, escapes, text behind the closing quote: the field is written anew behind the
  // records.
  void put_together(size_t at) {
    const std::string_view raw(text_ + field_begin_, at - field_begin_);
    std::string out;
    size_t i = quoted_ ? 1 : 0;
    bool open = quoted_;
    for (; i < raw.size(); ++i) {
      const bool can_escape = dialect_.escape != 0 && (open || dialect_.quote == 0);
      if (can_escape && raw[i] == dialect_.escape && i + 1 < raw.size()) {
        out += raw[++i];
      } else if (open && raw[i] == dialect_.quote) {
        open = i + 1 < raw.size() && raw[i + 1] == dialect_.quote;
        if (open) out += raw[i++];
      } else {
        out += raw[i];
      }
    }
    // What was escaped is as good as quoted: \\N is text where \N is null.
    const uint32_t flags = !quoted_ && dialect_.is_null(raw) ? CsvField::kNull : CsvField::kQuoted;
    block_.fields.emplace_back(block_.text.size(), out.size(), flags);
    block_.text += out;
    text_ = block_.text.data();
  }

  const CsvDialect& dialect_;
  CsvBlock& block_;
  const size_t most_, size_;
  const bool last_;
  const char* text_;
  size_t record_begin_ = 0, field_begin_ = 0, close_ = 0, skip_ = 0;
  bool inside_ = false, quoted_ = false, changed_ = false;
  int64_t lines_ = 0, record_lines_ = 0;  // ended so far; and with the whole records
};

MarkCharacters marked_by(const CsvDialect& dialect) {
  const auto or_newline = [](char c) { return c == 0 ? '\n' : c; };
  return {dialect.delimiter, '\n', '\r', or_newline(dialect.quote), or_newline(dialect.escape)};
}

}  // namespace

int64_t CsvBlock::lines_between(uint32_t begin, uint32_t end) const {
  int64_t lines = 0;
  for (size_t i = begin; i < end; ++i)
    lines += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
  return lines;
}

CsvScanner::CsvScanner(const CsvDialect& dialect, size_t max_row_bytes, std::string name)
    : dialect_(dialect),
      max_row_bytes_(max_row_bytes),
      name_(std::move(name)),
      marked_(marked_by(dialect)) {}

void CsvScanner::feed(std::string_view utf8) {
  const size_t size = pending_.size() + utf8.size();
  pending_.reserve(size + size / 8);  // for fields that are put together behind it
  pending_ += utf8;
}

bool CsvScanner::next(uint32_t columns, size_t most, CsvBlock& block) {
  if (!skip() || pending_.empty() || (pending_.size() < worth_a_try_ && !ended_)) return false;
  block.text = std::move(pending_);
  block.first_line = line_;
  block.columns = columns;
  block.fields.reserve(fields_ + fields_ / 16);
  block.rows.reserve(rows_ + rows_ / 16);
  find_marks(block.text, marked_, marks_);
  const size_t size = block.text.size();
  Pass pass(dialect_, block, most, ended_);
  const size_t end = pass.run(marks_);
  pending_.assign(block.text, end, size - end);
  block.records_end = end;
  line_ += pass.lines();
  fields_ = block.fields.size();
  rows_ = block.rows.size();
  const bool found = !block.rows.empty() || !block.ragged.empty();
  // Looked at again only after it has doubled, so that a long record costs no square.
  worth_a_try_ = found ? 0 : std::min(2 * pending_.size(), max_row_bytes_ + 1);
  if (found) {
    check_sizes(block);
  } else {
    check_rest(pass.inside_quotes());
  }
  return found;
}

void CsvScanner::check_sizes(const CsvBlock& block) const {
  if (block.text.size() <= max_row_bytes_) return;
  for (const auto& row : block.rows) {
    if (row.end - row.begin > max_row_bytes_)
      too_long(block.first_line + block.lines_between(0, row.begin), false);
  }
  for (const auto& one : block.ragged) {
    if (one.record.end - one.record.begin > max_row_bytes_)
      too_long(block.first_line + block.lines_between(0, one.record.begin), false);
  }
}

void CsvScanner::too_long(int64_t line, bool inside_quotes) const {
  throw Error(Code::kData, name_ + ": line " + std::to_string(line) + ": a record of more than " +
                               std::to_string(max_row_bytes_) + " bytes begins here" +
                               (inside_quotes ? ", inside a quote that may never be closed" : "") +
                               "; max_row_bytes allows larger ones");
}

void CsvScanner::check_rest(bool inside_quotes) const {
  if (pending_.size() > max_row_bytes_) too_long(line_, inside_quotes);
  if (ended_ && inside_quotes) {
    throw Error(Code::kData,
                name_ + ": line " + std::to_string(line_) +
                    ": a quote in the record that begins here is never closed; the file is cut, "
                    "or has quotes that are text (quote: \"\")");
  }
}

void CsvScanner::set_delimiter(char delimiter) {
  dialect_.delimiter = delimiter;
  marked_ = marked_by(dialect_);
}

std::string_view CsvScanner::peek() { return skip() ? std::string_view(pending_) : ""; }

void CsvScanner::give_back(CsvBlock block) {
  pending_.insert(0, block.text, 0, block.records_end);
  line_ = block.first_line;
  worth_a_try_ = 0;
}

// Drops the lines to be skipped. False while some are still to come.
bool CsvScanner::skip() {
  while (skip_ > 0) {
    const size_t end = pending_.find('\n');
    if (end == std::string::npos) {
      pending_.clear();
      return false;
    }
    pending_.erase(0, end + 1);
    --skip_;
    ++line_;
  }
  return true;
}

}  // namespace patchbay
