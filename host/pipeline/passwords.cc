#include "pipeline/passwords.h"

#include <algorithm>
#include <cctype>

#include "pipeline/uri.h"

namespace patchbay::host {
namespace {

// Where a password is in a text.
struct Span {
  size_t begin, end;
};

bool is_scheme(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
}

bool is_port(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

// The end of "user:password" in "user:password@host/..": the last @ of the authority. Where the
// authority has none and cannot be host:port either, its password holds a / ? or #.
size_t end_of_user(std::string_view rest) {
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) return at;
  const size_t colon = authority.rfind(':');
  const bool host = colon == std::string_view::npos || authority.starts_with('[') ||
                    is_port(authority.substr(colon + 1));
  return host ? std::string_view::npos : rest.rfind('@');
}

// Of the URLs in a text, from the first to the last; one that is the whole of it may hold spaces.
std::vector<Span> spans_in(std::string_view text) {
  std::vector<Span> spans;
  for (size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    if (at == 0 || !is_scheme(text[at - 1])) continue;
    const bool whole =
        std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), is_scheme);
    const std::string_view rest =
        text.substr(at + 3, whole ? std::string_view::npos
                                  : text.find_first_of(" \t\r\n\"'<>`", at + 3) - (at + 3));
    const size_t end = end_of_user(rest);
    if (end == std::string_view::npos) continue;
    const size_t colon = rest.substr(0, end).find(':');
    if (colon == std::string_view::npos || colon + 1 == end) continue;
    if (rest.substr(colon + 1, end - colon - 1) == "***") continue;
    spans.push_back({at + 3 + colon + 1, at + 3 + end});
  }
  return spans;
}

void add(std::vector<std::string>& passwords, const std::string& password) {
  if (password.empty()) return;
  passwords.push_back(password);
  if (std::string decoded = decode_percent(password); decoded != password)
    passwords.push_back(std::move(decoded));
}

bool is_secret(std::string_view key) { return key == "password" || key == "sslpassword"; }

// keyword = value pairs; a value may be in quotes, and a backslash takes the next character as it
// is.
class Pairs {
 public:
  explicit Pairs(std::string_view text) : left_(text) {}

  // False at the end, and where the text is none of pairs.
  bool next(std::string& key, std::string& value) {
    skip_spaces();
    const size_t equals = left_.find('=');
    if (equals == std::string_view::npos) return false;
    key = left_.substr(0, equals);
    while (!key.empty() && is_space(key.back())) key.pop_back();
    left_.remove_prefix(equals + 1);
    skip_spaces();
    value.clear();
    const bool quoted = left_.starts_with('\'');
    if (quoted) left_.remove_prefix(1);
    while (!left_.empty() && (quoted ? left_[0] != '\'' : !is_space(left_[0]))) {
      if (left_[0] == '\\' && left_.size() > 1) left_.remove_prefix(1);
      value += left_[0];
      left_.remove_prefix(1);
    }
    if (!left_.empty()) left_.remove_prefix(1);
    return true;
  }

 private:
  static bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
  void skip_spaces() {
    while (!left_.empty() && is_space(left_[0])) left_.remove_prefix(1);
  }

  std::string_view left_;
};

}  // namespace

std::vector<std::string> passwords_in_urls(std::string_view text) {
  std::vector<std::string> passwords;
  for (const auto& span : spans_in(text))
    add(passwords, std::string(text.substr(span.begin, span.end - span.begin)));
  return passwords;
}

std::vector<std::string> passwords_in_connection(std::string_view text) {
  std::vector<std::string> passwords = passwords_in_urls(text);
  const Uri uri = parse_uri(std::string(text));
  for (const auto& [name, value] : uri.parameters) {
    if (is_secret(name)) add(passwords, value);
  }
  if (!uri.scheme.empty()) return passwords;
  Pairs pairs(text);
  for (std::string key, value; pairs.next(key, value);) {
    if (is_secret(key)) add(passwords, value);
  }
  return passwords;
}

std::string without_passwords(std::string_view text) {
  std::string out;
  size_t copied = 0;
  for (const auto& span : spans_in(text)) {
    if (span.begin < copied) continue;
    out.append(text.substr(copied, span.begin - copied)).append("***");
    copied = span.end;
  }
  return out.append(text.substr(copied));
}

}  // namespace patchbay::host
