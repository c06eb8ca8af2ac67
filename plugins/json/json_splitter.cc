#include "json_splitter.h"

#include <algorithm>

#include "patchbay/error.h"

namespace patchbay {
namespace {

constexpr size_t kPadding = 64;  // simdjson's, and more
constexpr std::string_view kBlank = " \t\r\n";

bool is_blank(char c) { return kBlank.find(c) != std::string_view::npos; }

// Where the object that begins `text` ends; npos for anything else.
size_t end_of_object(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth <= 0) {
      return depth == 0 && text[0] == '{' ? i + 1 : std::string_view::npos;
    } else if (depth == 0) {
      return std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

// More than one object, and nothing else.
bool is_objects(std::string_view line) {
  size_t objects = 0;
  for (size_t begin = line.find_first_not_of(kBlank); begin < line.size(); ++objects) {
    const size_t end = end_of_object(line.substr(begin));
    if (end == std::string_view::npos) return false;
    begin = line.find_first_not_of(kBlank, begin + end);
  }
  return objects > 1;
}

// A cheap look before that: does an object end in front of another?
bool may_be_objects(std::string_view line) {
  for (size_t at = line.find('}'); at != std::string_view::npos; at = line.find('}', at + 1)) {
    const size_t next = line.find_first_not_of(kBlank, at + 1);
    if (next != std::string_view::npos && line[next] == '{') return true;
  }
  return false;
}

}  // namespace

JsonSplitter::JsonSplitter(bool lines, size_t max_record_bytes, std::string name)
    : lines_(lines), max_record_bytes_(max_record_bytes), name_(std::move(name)) {}

void JsonSplitter::feed(std::string_view bytes, bool last) {
  forget();
  if (text_.capacity() < text_.size() + bytes.size() + kPadding)
    text_.reserve(std::max(2 * text_.size(), text_.size() + bytes.size()) + kPadding);
  text_ += bytes;
  last_ = last;
}

// Drops what was given.
void JsonSplitter::forget() {
  text_.erase(0, at_);
  scanned_ -= std::min(scanned_, at_);
  at_ = 0;
}

bool JsonSplitter::next(Record& record) {
  if (!begun_) {
    if (text_.size() < 3 && !last_) return false;
    begun_ = true;
    if (text_.starts_with("\xef\xbb\xbf")) at_ = scanned_ = 3;
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff"))
      fail("is UTF-16, and JSON is UTF-8; convert it first");
  }
  return lines_ ? next_line(record) : next_item(record);
}

bool JsonSplitter::next_line(Record& record) {
  for (;;) {
    if (line_end_ > 0) return next_object_of_line(record);
    scanned_ = std::max(scanned_, at_);
    size_t end = text_.find('\n', scanned_);
    if (end == std::string::npos && !last_) {
      scanned_ = text_.size();
      return wait();
    }
    const bool at_the_end = end == std::string::npos;
    end = std::min(end, text_.size());
    if (at_ == text_.size()) return false;
    const std::string_view line(text_.data() + at_, end - at_);
    if (line.size() > max_record_bytes_) wait();
    if (line.find_first_not_of(kBlank) == std::string_view::npos) {
      at_ = std::min(end + 1, text_.size());
      ++line_;
    } else if (may_be_objects(line) && is_objects(line)) {
      line_end_ = end;
    } else {
      give(record, at_, end);
      record.at_the_end = at_the_end;
      at_ = std::min(end + 1, text_.size());
      ++line_;
      return true;
    }
  }
}

bool JsonSplitter::next_object_of_line(Record& record) {
  const size_t begin = text_.find_first_not_of(kBlank, at_);
  const std::string_view rest(text_.data() + begin, line_end_ - begin);
  const size_t end = begin + end_of_object(rest);
  give(record, begin, end);
  at_ = end;
  if (text_.find_first_not_of(" \t\r", end) < line_end_) return true;
  at_ = std::min(line_end_ + 1, text_.size());
  line_end_ = 0;
  ++line_;
  return true;
}

bool JsonSplitter::next_item(Record& record) {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (is_blank(c)) {
      line_ += c == '\n';
    } else if (!between(c)) {
      break;
    }
  }
  if (at_ == text_.size()) {
    scanned_ = at_;
    if (!last_) return false;
    if (list_ && place_ != Place::kAfter && place_ != Place::kBegin)
      fail("the file is cut: its list is never closed");
    return false;
  }
  const size_t end = end_of_value(at_);
  if (end == std::string::npos) {
    if (last_) fail("the file is cut within the record that begins here");
    return wait();
  }
  give(record, at_, end);
  line_ += std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                      text_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  at_ = scanned_ = end;
  place_ = Place::kNext;
  return true;
}

bool JsonSplitter::between(char c) {
  switch (place_) {
    case Place::kBegin:
      if (c == '{') {
        list_ = false;
        place_ = Place::kItem;
        return false;
      }
      if (c != '[') fail("should be a list of records; format: lines reads one record per line");
      place_ = Place::kFirst;
      return true;
    case Place::kFirst:
      if (c != ']') return false;
      place_ = Place::kAfter;
      return true;
    case Place::kItem:
      if (c == ',' || c == ']') fail("a record is missing in the list");
      return false;
    case Place::kNext:
      if (!list_) return false;
      if (c != ',' && c != ']') fail("a comma is missing between two records");
      place_ = c == ',' ? Place::kItem : Place::kAfter;
      return true;
    case Place::kAfter:
      fail("there is more behind the end of the list");
  }
  return true;
}

size_t JsonSplitter::end_of_value(size_t begin) {
  size_t i = std::max(scanned_, begin);
  if (i == begin) {
    depth_ = 0;
    in_string_ = false;
  }
  for (; i < text_.size(); ++i) {
    const char c = text_[i];
    if (in_string_) {
      if (c == '\\') {
        if (i + 1 == text_.size()) break;
        ++i;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      if (--depth_ == 0) return i + 1;
    } else if (depth_ == 0 && (c == ',' || c == ']' || c == '}' || is_blank(c))) {
      return i + (i == begin);  // behind a value that is no object; at least one byte
    }
  }
  scanned_ = i;
  return std::string::npos;
}

void JsonSplitter::give(Record& record, size_t begin, size_t end) {
  if (end - begin > max_record_bytes_) wait();
  record.text = std::string_view(text_).substr(begin, end - begin);
  record.readable = text_.capacity() - begin;
  record.line = line_;
  record.at_the_end = false;
}

// For the rest of a record: false, unless it is too long already.
bool JsonSplitter::wait() {
  const size_t size =
      lines_ ? std::min(text_.find('\n', at_), text_.size()) - at_ : text_.size() - at_;
  if (size > max_record_bytes_) {
    fail("a record of more than " + std::to_string(max_record_bytes_) +
         " bytes begins here; max_record_bytes allows larger ones");
  }
  return false;
}

void JsonSplitter::fail(const std::string& why) const {
  throw Error(Code::kData, name_ + ": line " + std::to_string(line_) + ": " + why);
}

}  // namespace patchbay
