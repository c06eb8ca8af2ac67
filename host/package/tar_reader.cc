#include "package/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kLongestName = 64 << 10;
constexpr size_t kLongestHeader = 1 << 20;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::kConfig, "is damaged: " + why);
}

// A header's field; texts end at the first zero.
std::string_view field(std::string_view block, size_t at, size_t size) {
  return block.substr(at, size);
}
std::string text(std::string_view block, size_t at, size_t size) {
  const std::string_view whole = field(block, at, size);
  return std::string(whole.substr(0, whole.find('\0')));
}

// Octal digits between spaces and zeros, or GNU's form for large numbers: the first bit set, then a
// number of that many bytes.
uint64_t number(std::string_view bytes) {
  uint64_t value = 0;
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first & 0x80) {
    if (first != 0x80) refuse("a number in it is negative or too large");
    for (const char c : bytes.substr(1)) {
      if (value >> 56) refuse("a number in it is too large");
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  const size_t begin = std::min(bytes.find_first_not_of(' '), bytes.size());
  const auto [end, error] =
      std::from_chars(bytes.data() + begin, bytes.data() + bytes.size(), value, 8);
  if (error == std::errc::result_out_of_range) refuse("a number in it is too large");
  const bool ends = end == bytes.data() + bytes.size() || *end == ' ' || *end == '\0';
  if (!ends) refuse("a number in it is not one");
  return value;
}

bool has_checksum(std::string_view block) {
  constexpr size_t kAt = 148, kSize = 8;
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i)
    sum += i >= kAt && i < kAt + kSize ? ' ' : static_cast<unsigned char>(block[i]);
  return sum == number(field(block, kAt, kSize));
}

std::string name_of(std::string_view block) {
  const std::string name = text(block, 0, 100);
  const std::string_view magic = field(block, 257, 6);
  const std::string prefix = magic == std::string_view("ustar\0", 6) ? text(block, 345, 155) : "";
  return prefix.empty() ? name : prefix + "/" + name;
}

TarKind kind_of(char flag, const std::string& name) {
  switch (flag) {
    case '0':
    case '\0':
    case '7':
      return name.ends_with('/') ? TarKind::kFolder : TarKind::kFile;
    case '1':
      return TarKind::kHardLink;
    case '2':
      return TarKind::kSymbolicLink;
    case '3':
    case '4':
      return TarKind::kDevice;
    case '5':
      return TarKind::kFolder;
    case '6':
      return TarKind::kPipe;
    default:
      return TarKind::kOther;
  }
}

std::optional<uint64_t> decimal(const std::string& digits) {
  uint64_t value = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace

void TarReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (content_ != Content::kNone) {
      bytes.remove_prefix(take_content(bytes));
      continue;
    }
    const size_t n = std::min(bytes.size(), kBlock - block_.size());
    block_ += bytes.substr(0, n);
    bytes.remove_prefix(n);
    if (block_.size() == kBlock) take_header();
  }
}

void TarReader::finish() const {
  // Some programs write no block of zeros at the end.
  if (content_ != Content::kNone || !block_.empty()) refuse("it ends in the middle");
}

void TarReader::take_header() {
  const std::string block = std::move(block_);
  block_.clear();
  if (block.find_first_not_of('\0') == std::string::npos) {
    ended_ = true;
    return;
  }
  if (!has_checksum(block)) refuse("a header has a wrong checksum");
  const char flag = block[156];
  TarEntry entry{name_of(block), TarKind::kOther, number(field(block, 124, 12))};
  if (flag == 'L' || flag == 'K') {
    if (entry.size > kLongestName) refuse("it has a name of more than 64 KiB");
    content_ = flag == 'L' ? Content::kName : Content::kSkipped;  // K: where a link leads
  } else if (flag == 'x' || flag == 'g') {
    if (entry.size > kLongestHeader) refuse("it has a header of more than 1 MiB");
    content_ = flag == 'x' ? Content::kHeader : Content::kSkipped;
  } else {
    if (!long_name_.empty()) entry.name = long_name_;
    if (const auto path = records_.find("path"); path != records_.end()) entry.name = path->second;
    if (const auto size = records_.find("size"); size != records_.end()) {
      const auto value = decimal(size->second);
      if (!value) refuse("a size in it is not a number");
      entry.size = *value;
    }
    entry.kind = kind_of(flag, entry.name);
    long_name_.clear();
    records_.clear();
    return begin_entry(std::move(entry));
  }
  left_ = entry.size;
  padding_ = (kBlock - left_ % kBlock) % kBlock;
  if (left_ == 0) end_content();
}

void TarReader::begin_entry(TarEntry entry) {
  // Links, folders and devices have no content, whatever their header says.
  const bool bare = entry.kind != TarKind::kFile && entry.kind != TarKind::kOther;
  left_ = bare ? 0 : entry.size;
  padding_ = (kBlock - left_ % kBlock) % kBlock;
  content_ = visitor_.begin(entry) ? Content::kVisitor : Content::kSkipped;
  if (left_ == 0) end_content();
}

size_t TarReader::take_content(std::string_view bytes) {
  if (left_ == 0) {
    const size_t n = std::min<uint64_t>(bytes.size(), padding_);
    padding_ -= n;
    if (padding_ == 0) content_ = Content::kNone;
    return n;
  }
  const size_t n = std::min<uint64_t>(bytes.size(), left_);
  const std::string_view part = bytes.substr(0, n);
  if (content_ == Content::kVisitor) visitor_.content(part);
  if (content_ == Content::kName || content_ == Content::kHeader) text_ += part;
  left_ -= n;
  if (left_ == 0) end_content();
  return n;
}

void TarReader::end_content() {
  if (content_ == Content::kVisitor) visitor_.end();
  if (content_ == Content::kName) long_name_ = text_.substr(0, text_.find('\0'));
  if (content_ == Content::kHeader) read_header_records();
  text_.clear();
  content_ = padding_ > 0 ? Content::kSkipped : Content::kNone;
}

// "27 path=usr/share/x.json\n": the length counts itself.
void TarReader::read_header_records() {
  for (std::string_view rest = text_; !rest.empty();) {
    const size_t space = rest.find(' ');
    const auto length = decimal(std::string(rest.substr(0, std::min<size_t>(space, 20))));
    if (space == std::string_view::npos || !length || *length <= space + 1 ||
        *length > rest.size() || rest[*length - 1] != '\n')
      refuse("a pax header has no proper length");
    const std::string_view record = rest.substr(space + 1, *length - space - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) refuse("a pax header has no value");
    records_[std::string(record.substr(0, equals))] = record.substr(equals + 1);
    rest.remove_prefix(*length);
  }
}

}  // namespace patchbay::host
