// The text of a document before it is parsed: reading, encoding, scalars.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "files/local_files.h"
#include "pipeline/document.h"

namespace patchbay::host {

// Plain scalars by the core schema of YAML 1.2: https://yaml.org/spec/1.2.2/#103-core-schema
Json::Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return Json::nullValue;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* end = text.data() + text.size();
  const char* begin = text.data() + (text[0] == '+');
  int64_t integer = 0;
  if (auto [at, error] = std::from_chars(begin, end, integer); error == std::errc() && at == end) {
    return Json::Int64(integer);
  }
  double number = 0;
  const bool numeric = std::isdigit(static_cast<unsigned char>(text.back())) || text.back() == '.';
  if (auto [at, error] = std::from_chars(begin, end, number);
      numeric && error == std::errc() && at == end) {
    return number;
  }
  return text;
}

// The byte where UTF-8 breaks, by the same rules as the JSON writer's.
void check_utf8(const std::string& file, std::string_view text) {
  unsigned line = 1, column = 1;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t n = c < 0x80                ? 1
                     : c >= 0xc2 && c < 0xe0 ? 2
                     : c >= 0xe0 && c < 0xf0 ? 3
                     : c >= 0xf0 && c < 0xf5 ? 4
                                             : 0;
    bool whole = n > 0 && i + n <= text.size();
    for (size_t j = 1; whole && j < n; ++j)
      whole = (static_cast<unsigned char>(text[i + j]) & 0xc0) == 0x80;
    if (!whole || c == 0) throw Faults({{file, {line, column}, "a byte that is no UTF-8 text"}});
    line += c == '\n';
    column = c == '\n' ? 1 : column + 1;
    i += n;
  }
}

// JSON writes a character beyond U+FFFF as two escapes, YAML as one of eight digits.
std::string join_surrogates(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return std::string(text);
  const auto escape = [&](size_t at) -> unsigned {
    unsigned code = 0;
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
    const auto [end, error] = std::from_chars(&text[at] + 2, &text[at] + 6, code, 16);
    return error == std::errc() && end == &text[at] + 6 ? code : 0;
  };
  std::string out;
  size_t copied = 0;
  for (size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const unsigned high = escape(at), low = escape(at + 6);
    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff) {
      at += 2;
      continue;
    }
    char joined[11];
    std::snprintf(joined, sizeof joined, "\\U%08x",
                  0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    out.append(text.substr(copied, at - copied)).append(joined);
    copied = at += 12;
  }
  return out.append(text.substr(copied));
}

std::string read_document_text(const std::string& file) {
  const bool standard_input = file == "-";
  const int fd = standard_input ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw local_error(file, errno, "read");
  struct Closer {
    int fd;
    ~Closer() {
      if (fd != STDIN_FILENO) close(fd);
    }
  } closer{fd};
  struct stat status{};
  const bool too_large = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                         static_cast<size_t>(status.st_size) > kMaxDocumentBytes;
  std::string text;
  for (char buffer[65536]; !too_large && text.size() <= kMaxDocumentBytes;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw local_error(file, errno, "read");
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
  throw Error(Code::kConfig, file + ": is larger than 16 MiB, so it is no pipeline file");
}

}  // namespace patchbay::host
