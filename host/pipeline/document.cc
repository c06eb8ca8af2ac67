#include "pipeline/document.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::string& file, Position position, const std::string& why) {
  throw Faults({{file, position, why}});
}

Position position_of(const YAML::Mark& mark) {
  return {static_cast<unsigned>(mark.line + 1), static_cast<unsigned>(mark.column + 1)};
}

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

// Builds the values while the parser reads, so that limits hold before memory is spent.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Document& document) : document_(document) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    scalar(mark, Json::nullValue, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool plain = tag == "?" || tag.empty();
    scalar(mark, plain && !awaits_key() ? plain_scalar(value) : Json::Value(value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(document_.file, position_of(mark), "an alias inside its own anchor");
    count(mark, found->second.values);
    Json::Value copy = found->second.value;
    place(mark, std::move(copy));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, Json::arrayValue, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, Json::objectValue, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Json::Value value;
    std::string pointer;
    std::string key;
    bool has_key = false;
    YAML::anchor_t anchor = 0;
    size_t values_before = 0;
  };
  struct Anchored {
    Json::Value value;
    size_t values;
  };

  bool awaits_key() const {
    return !stack_.empty() && stack_.back().value.isObject() && !stack_.back().has_key;
  }

  void count(const YAML::Mark& mark, size_t n) {
    values_ += n;
    if (values_ > kMaxDocumentValues) {
      refuse(document_.file, position_of(mark),
             "more than " + std::to_string(kMaxDocumentValues) +
                 " values, those behind aliases included");
    }
  }

  void scalar(const YAML::Mark& mark, Json::Value value, YAML::anchor_t anchor) {
    count(mark, 1);
    if (anchor != 0) anchors_[anchor] = {value, 1};
    if (awaits_key()) return key(mark, value);
    place(mark, std::move(value));
  }

  void key(const YAML::Mark& mark, const Json::Value& value) {
    Open& top = stack_.back();
    top.key = value.asString();
    top.has_key = true;
    if (top.value.isMember(top.key)) {
      const Position first = document_.positions[top.pointer + "/" + top.key];
      refuse(document_.file, position_of(mark),
             top.key + ": stands twice, first on line " + std::to_string(first.line));
    }
    document_.positions[top.pointer + "/" + top.key] = position_of(mark);
  }

  std::string next_pointer() const {
    if (stack_.empty()) return "";
    const Open& top = stack_.back();
    return top.pointer + "/" + (top.value.isArray() ? std::to_string(top.value.size()) : top.key);
  }

  void note_position(const YAML::Mark& mark) {
    if (stack_.empty() || stack_.back().value.isArray())
      document_.positions[next_pointer()] = position_of(mark);
  }

  void place(const YAML::Mark& mark, Json::Value value) {
    if (awaits_key()) refuse(document_.file, position_of(mark), "a key must be plain text");
    note_position(mark);
    put(std::move(value));
  }

  void put(Json::Value value) {
    if (stack_.empty()) {
      document_.root = std::move(value);
      return;
    }
    Open& top = stack_.back();
    if (top.value.isArray()) {
      top.value.append(std::move(value));
    } else {
      top.value[top.key] = std::move(value);
      top.has_key = false;
    }
  }

  void open(const YAML::Mark& mark, Json::ValueType type, YAML::anchor_t anchor) {
    count(mark, 1);
    if (stack_.size() >= kMaxDocumentDepth) {
      refuse(document_.file, position_of(mark),
             "nested deeper than " + std::to_string(kMaxDocumentDepth));
    }
    if (awaits_key()) refuse(document_.file, position_of(mark), "a key must be plain text");
    note_position(mark);
    Open open;
    open.pointer = next_pointer();
    open.value = Json::Value(type);
    open.anchor = anchor;
    open.values_before = values_;
    stack_.push_back(std::move(open));
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = {done.value, values_ - done.values_before + 1};
    put(std::move(done.value));
  }

  Document& document_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t values_ = 0;
};

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
    if (!whole || c == 0) refuse(file, {line, column}, "a byte that is no UTF-8 text");
    line += c == '\n';
    column = c == '\n' ? 1 : column + 1;
    i += n;
  }
}

}  // namespace

Position Document::at(const std::string& pointer) const {
  for (std::string part = pointer;;) {
    const auto found = positions.find(part);
    if (found != positions.end()) return found->second;
    if (part.empty()) return {};
    part.resize(part.rfind('/'));
  }
}

Document parse_document(const std::string& file, std::string_view text) {
  Document document;
  document.file = file;
  check_utf8(file, text);
  std::istringstream in{std::string(text)};
  try {
    YAML::Parser parser(in);
    Builder builder(document);
    if (!parser.HandleNextDocument(builder)) refuse(file, {}, "is empty");
    Document rest;
    Builder more(rest);
    if (parser.HandleNextDocument(more))
      refuse(file, {}, "holds more than one document; a pipeline is one");
  } catch (const YAML::Exception& error) {
    refuse(file, error.mark.is_null() ? Position{} : position_of(error.mark), error.msg);
  }
  return document;
}

std::string read_document_text(const std::string& file) {
  const bool standard_input = file == "-";
  const int fd = standard_input ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(Code::kConfig, file + ": cannot be read: " + std::strerror(errno));
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
    if (n < 0) throw Error(Code::kConfig, file + ": cannot be read: " + std::strerror(errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
  throw Error(Code::kConfig, file + ": is larger than 16 MiB, so it is no pipeline file");
}

}  // namespace patchbay::host
