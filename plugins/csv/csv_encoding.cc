#include "csv_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "patchbay/error.h"

namespace patchbay {
namespace {

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

std::string canonical(std::string name) {
  name = lower(std::move(name));
  return name == "utf8" ? "utf-8" : name;
}

}  // namespace

std::string from_utf8(const std::string& text, const std::string& encoding) {
  std::string to = canonical(encoding);
  if (to == "utf-8") return text;
  if (to == "utf-16") to = "utf-16le";
  const iconv_t handle = iconv_open(to.c_str(), "UTF-8");
  std::string out(text.size() * 4, '\0');
  auto* from = const_cast<char*>(text.data());
  char* at = out.data();
  size_t left = text.size(), room = out.size();
  const size_t result = iconv(handle, &from, &left, &at, &room);
  iconv_close(handle);
  if (result == static_cast<size_t>(-1))
    throw Error(Code::kData, "a record has a character that " + encoding + " lacks");
  out.resize(out.size() - room);
  return out;
}

struct CsvEncoding::Converter {
  explicit Converter(const std::string& from) : handle(iconv_open("UTF-8", from.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (known()) iconv_close(handle);
  }
  bool known() const { return handle != reinterpret_cast<iconv_t>(-1); }

  iconv_t handle;
};

CsvEncoding::CsvEncoding(std::string name, std::string file)
    : name_(canonical(std::move(name))), file_(std::move(file)) {
  if (!Converter(name_).known()) {
    throw Error(Code::kConfig,
                "encoding: " + name_ + " is not known here; `iconv -l` lists those that are");
  }
}

CsvEncoding::~CsvEncoding() = default;

std::string_view CsvEncoding::feed(std::string_view bytes, bool last) {
  if (!begun_) {
    head_ += bytes;
    if (head_.size() < 3 && !last) return {};
    bytes = std::string_view(head_).substr(begin());
  } else if (!head_.empty()) {
    std::string().swap(head_);  // a chunk's worth of memory
  }
  if (!converter_) return bytes;
  converted_.clear();
  if (carry_.empty()) {
    convert(bytes, last);
  } else {
    carry_ += bytes;
    convert(std::exchange(carry_, {}), last);
  }
  return converted_;
}

size_t CsvEncoding::begin() {
  begun_ = true;
  const bool any = name_ == "utf-8" || name_ == "utf-16";
  size_t mark = 0;
  if (head_.starts_with("\xef\xbb\xbf") && name_ == "utf-8") {
    mark = 3;
  } else if (head_.starts_with("\xff\xfe") && (any || name_ == "utf-16le")) {
    mark = 2;
    name_ = "utf-16le";
  } else if (head_.starts_with("\xfe\xff") && (any || name_ == "utf-16be")) {
    mark = 2;
    name_ = "utf-16be";
  } else if (name_ == "utf-16") {
    name_ = "utf-16le";
  }
  if (name_ != "utf-8") converter_ = std::make_unique<Converter>(name_);
  return mark;
}

void CsvEncoding::convert(std::string_view bytes, bool last) {
  std::array<char, 65536> out;
  auto* from = const_cast<char*>(bytes.data());
  size_t left = bytes.size();
  while (left > 0) {
    char* to = out.data();
    size_t room = out.size();
    const size_t result = iconv(converter_->handle, &from, &left, &to, &room);
    const int error = errno;
    converted_.append(out.data(), to);
    line_ += std::count(out.data(), to, '\n');
    if (result != static_cast<size_t>(-1) || error == E2BIG) continue;
    if (error == EINVAL && !last) {
      carry_.assign(from, left);
      return;
    }
    throw Error(Code::kData, file_ + ": line " + std::to_string(line_) + ": bytes that are no " +
                                 name_ + (error == EINVAL ? " at the end: the file is cut" : "") +
                                 "; set encoding to the file's own");
  }
}

}  // namespace patchbay
