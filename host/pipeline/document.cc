#include "pipeline/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::string& file, Position position, const std::string& why) {
  throw Faults({{file, position, why}});
}

Position position_of(const YAML::Mark& mark) {
  return {static_cast<unsigned>(mark.line + 1), static_cast<unsigned>(mark.column + 1)};
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
    spend(position_of(mark), 0, value.size());
    scalar(mark, plain && !awaits_key() ? plain_scalar(value) : Json::Value(value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(document_.file, position_of(mark), "an alias inside its own anchor");
    spend(position_of(mark), found->second.values, found->second.bytes);
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
    Position position;
    size_t values_before = 0, bytes_before = 0;
  };
  struct Anchored {
    Json::Value value;
    size_t values, bytes;
  };

  bool awaits_key() const {
    return !stack_.empty() && stack_.back().value.isObject() && !stack_.back().has_key;
  }

  void spend(Position position, size_t values, size_t bytes) {
    values_ += values;
    bytes_ += bytes;
    if (values_ > kMaxDocumentValues) {
      refuse(document_.file, position,
             "more than " + std::to_string(kMaxDocumentValues) +
                 " values, those behind aliases included");
    }
    if (bytes_ > kMaxExpandedBytes) {
      refuse(document_.file, position,
             "larger than 64 MiB with its aliases and long names written out");
    }
  }

  // What an anchor keeps costs as much as an alias of it.
  void keep(YAML::anchor_t anchor, Position position, const Json::Value& value, size_t values,
            size_t bytes) {
    if (anchor == 0) return;
    spend(position, values, bytes);
    anchors_[anchor] = {value, values, bytes};
  }

  void scalar(const YAML::Mark& mark, Json::Value value, YAML::anchor_t anchor) {
    spend(position_of(mark), 1, 0);
    keep(anchor, position_of(mark), value, 1, value.isString() ? value.asString().size() : 0);
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
    note(top.pointer + "/" + top.key, mark);
  }

  std::string next_pointer() const {
    if (stack_.empty()) return "";
    const Open& top = stack_.back();
    return top.pointer + "/" + (top.value.isArray() ? std::to_string(top.value.size()) : top.key);
  }

  void note(const std::string& pointer, const YAML::Mark& mark) {
    spend(position_of(mark), 0, pointer.size());
    document_.positions[pointer] = position_of(mark);
  }

  void note_position(const YAML::Mark& mark) {
    if (stack_.empty() || stack_.back().value.isArray()) note(next_pointer(), mark);
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
    spend(position_of(mark), 1, 0);
    if (stack_.size() >= kMaxDocumentDepth) {
      refuse(document_.file, position_of(mark),
             "nested deeper than " + std::to_string(kMaxDocumentDepth));
    }
    if (awaits_key()) refuse(document_.file, position_of(mark), "a key must be plain text");
    note_position(mark);
    Open open;
    open.pointer = next_pointer();
    open.value = Json::Value(type);
    spend(position_of(mark), 0, open.pointer.size());
    open.anchor = anchor;
    open.position = position_of(mark);
    open.values_before = values_;
    open.bytes_before = bytes_;
    stack_.push_back(std::move(open));
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    keep(done.anchor, done.position, done.value, values_ - done.values_before + 1,
         bytes_ - done.bytes_before);
    put(std::move(done.value));
  }

  Document& document_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t values_ = 0, bytes_ = 0;
};

// Notes where a document begins, and reads no further.
class SecondDocument : public Builder {
 public:
  explicit SecondDocument(Document& document) : Builder(document), file_(document.file) {}
  void OnDocumentStart(const YAML::Mark& mark) override {
    refuse(file_, position_of(mark), "a second document begins here; a file is one");
  }

 private:
  std::string file_;
};

// yaml-cpp's words, but for the faults that people make most.
std::string reason(const YAML::Exception& error, std::string_view text) {
  size_t begin = 0;
  for (int line = 0; line < error.mark.line && begin != std::string_view::npos; ++line) {
    begin = text.find('\n', begin);
    if (begin != std::string_view::npos) ++begin;
  }
  if (error.mark.is_null() || begin == std::string_view::npos) return error.msg;
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  const size_t indentation = std::min(line.find_first_not_of(" \t"), line.size());
  const bool tab = line.substr(0, indentation).find('\t') != std::string_view::npos;
  if (tab) return "a line is indented by a tab; use spaces";
  const size_t variable = line.find("${");
  const bool in_flow = error.msg.find("flow") != std::string::npos;
  if (in_flow && variable != std::string_view::npos)
    return error.msg + "; within {..} or [..] a text with ${..} needs quotes";
  return error.msg;
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
  std::istringstream in{join_surrogates(text)};
  try {
    YAML::Parser parser(in);
    Builder builder(document);
    if (!parser.HandleNextDocument(builder)) refuse(file, {}, "is empty");
    SecondDocument second(document);
    parser.HandleNextDocument(second);
  } catch (const YAML::Exception& error) {
    refuse(file, error.mark.is_null() ? Position{} : position_of(error.mark), reason(error, text));
  }
  return document;
}

}  // namespace patchbay::host
