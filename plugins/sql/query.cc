#include "query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

constexpr size_t kLongestQuery = 1 << 20;

// Steps over SQL text by pieces: quoted text, comments, single characters.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  size_t at() const { return at_; }
  // The character at this place; a space for a comment, the quote for quoted text. Steps over it.
  char step() {
    const char c = text_[at_];
    if (c == '-' && next_is('-')) return skip_to("\n");
    if (c == '/' && next_is('*')) return skip_comment();
    if (c == '\'' || c == '"' || c == '`') return skip_quoted(c);
    if (c == '$') return skip_dollars();
    ++at_;
    return c;
  }

 private:
  bool next_is(char c) const { return at_ + 1 < text_.size() && text_[at_ + 1] == c; }
  char skip_to(std::string_view end) {
    at_ = std::min(text_.find(end, at_), text_.size() - end.size()) + end.size();
    return ' ';
  }
  char skip_comment() {
    int depth = 0;
    do {
      if (text_.substr(at_, 2) == "/*") {
        ++depth;
        at_ += 2;
      } else if (text_.substr(at_, 2) == "*/") {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < text_.size());
    return ' ';
  }
  char skip_quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != quote) continue;
      if (!next_is(quote)) break;
      ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
    return quote;
  }
  char skip_dollars() {
    size_t end = at_ + 1;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) {
      ++end;
    }
    if (end >= text_.size() || text_[end] != '$') {
      ++at_;
      return '$';
    }
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const size_t close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
    return '\'';
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string first_word(std::string_view text) {
  Scanner scanner(text);
  std::string word;
  while (!scanner.at_end()) {
    const char c = scanner.step();
    if (word.empty() && (is_space(c) || c == '(')) continue;
    if (!std::isalpha(static_cast<unsigned char>(c))) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return word;
}

std::string read_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    config_error("query_file", path + " is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const Error found = posix_error("query_file: " + path, errno, "read");
    throw Error(found.code() == Code::kNotFound ? Code::kConfig : found.code(), found.what());
  }
  std::string text(kLongestQuery + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kLongestQuery) config_error("query_file", path + ": is longer than 1 MiB");
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

}  // namespace

std::string single_query(const std::string& origin, std::string_view text) {
  static constexpr std::array kQueries{"SELECT", "WITH", "FROM", "VALUES", "TABLE"};
  const std::string word = first_word(text);
  if (std::find(kQueries.begin(), kQueries.end(), word) == kQueries.end()) {
    config_error(origin, word.empty()
                             ? "holds no query; write a SELECT"
                             : "must be one query that reads, such as a SELECT, and begins "
                               "with " +
                                   word);
  }
  Scanner scanner(text);
  size_t end = text.size();
  while (!scanner.at_end()) {
    const size_t before = scanner.at();
    const char c = scanner.step();
    if (c == ';' && end == text.size()) {
      end = before;
    } else if (end < text.size() && c != ';' && !is_space(c)) {
      config_error(origin, "holds more than one statement; for several results use queries");
    }
  }
  return std::string(text.substr(0, end));
}

std::vector<SqlQuery> read_queries(const Config& config) {
  const int given = config.has("query") + config.has("query_file") + config.has("queries");
  if (given != 1) config_error("query", "give one of query, query_file and queries");
  if (config.has("queries") && config.has("stream")) {
    config_error("stream", "not with queries, which name their streams");
  }
  std::vector<SqlQuery> queries;
  if (config.has("queries")) {
    for (const auto& stream : config.at("queries").getMemberNames()) {
      const std::string origin = "queries." + stream;
      queries.push_back(
          {stream, origin, single_query(origin, config.at("queries")[stream].asString())});
    }
  } else if (config.has("query_file")) {
    const auto path = config.get<std::string>("query_file");
    const std::string name = std::filesystem::path(path).stem().string();
    queries.push_back(
        {config.get_or<std::string>("stream", name), path, single_query(path, read_file(path))});
  } else {
    queries.push_back({config.get_or<std::string>("stream", ""), "query",
                       single_query("query", config.get<std::string>("query"))});
  }
  return queries;
}

}  // namespace patchbay
