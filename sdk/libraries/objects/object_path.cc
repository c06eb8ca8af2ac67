#include "patchbay/objects/object_path.h"

#include <algorithm>
#include <array>

#include "patchbay/config.h"
#include "patchbay/json_text.h"

namespace patchbay {
namespace {

constexpr std::array<std::string_view, 4> kPlaceholders = {"{stream}", "{key}", "{name}", "{part}"};

// Which placeholder begins the text; empty = none.
std::string_view placeholder_at(std::string_view text) {
  for (const auto name : kPlaceholders) {
    if (text.starts_with(name)) return name;
  }
  return {};
}

// Where the first placeholder but `passed` is; the end if there is none.
size_t find_placeholder(std::string_view text, std::string_view passed = {}) {
  for (size_t at = text.find('{'); at < text.size(); at = text.find('{', at + 1)) {
    const std::string_view name = placeholder_at(text.substr(at));
    if (!name.empty() && name != passed) return at;
  }
  return text.size();
}

std::string escaped(std::string_view name) {
  std::string out;
  append_json_string(out, name);
  return out;
}

// C0, DEL, and C1 as UTF-8 has them.
bool has_control(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : ' ');
    if (c < ' ' || c == 127 || (c == 0xc2 && next >= 0x80 && next < 0xa0)) return true;
  }
  return false;
}

bool leads_up(std::string_view path) {
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

std::string_view safe_stream(std::string_view stream) {
  if (stream.find('/') == std::string_view::npos && stream != ".." && !has_control(stream))
    return stream;
  throw Error(Code::kConfig, "stream " + escaped(stream) +
                                 ": cannot be a part of a path: it has a slash, leads up or has "
                                 "control characters; rename it with `streams:`");
}

std::string_view safe_key(std::string_view key) {
  const std::string_view whole = key;
  while (key.starts_with('/') || key.starts_with("./")) key.remove_prefix(key[0] == '/' ? 1 : 2);
  if (leads_up(key))
    throw Error(Code::kData, "key " + escaped(whole) + ": leads out of the folder");
  if (has_control(key))
    throw Error(Code::kData, "key " + escaped(whole) + ": has control characters");
  return key;
}

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('/') + 1); }

std::string value_of(std::string_view placeholder, const PathParts& parts) {
  if (placeholder == "{stream}") return std::string(safe_stream(parts.stream));
  if (placeholder == "{key}") return std::string(safe_key(parts.key));
  if (placeholder == "{name}") return std::string(last_part(safe_key(parts.key)));
  return std::to_string(parts.part);
}

}  // namespace

ObjectPath::ObjectPath(std::string option, std::string text)
    : option_(std::move(option)), text_(std::move(text)) {
  fixed_ = std::string_view(text_).substr(0, find_placeholder(text_)).rfind('/') + 1;
}

ObjectName ObjectPath::fill(const PathParts& parts) const {
  ObjectName out{"", fixed_};
  for (size_t at = 0; at < text_.size();) {
    const std::string_view name = placeholder_at(std::string_view(text_).substr(at));
    if (name.empty() || (name == "{part}" && parts.part == 0)) {
      out.key += text_[at++];
    } else {
      out.key += value_of(name, parts);
      at += name.size();
    }
  }
  const std::string_view rest = std::string_view(out.key).substr(fixed_);
  if (leads_up(rest)) {
    throw Error(Code::kData, option_ + ": becomes " + escaped(out.key) + ", which leads out of " +
                                 (fixed_ == 0 ? "the working directory" : fixed()));
  }
  if (rest.empty() || rest.ends_with('/')) {
    throw Error(
        is_fixed() ? Code::kConfig : Code::kData,
        option_ + ": becomes " + escaped(out.key) + ", which names a folder, not an object");
  }
  return out;
}

std::string ObjectPath::stream_folder(std::string_view stream) const {
  const std::string front = text_.substr(0, find_placeholder(text_, "{stream}"));
  std::string filled;
  for (size_t at = 0; at < front.size();) {
    const std::string_view name = placeholder_at(std::string_view(front).substr(at));
    filled += name.empty() ? std::string(1, front[at]) : std::string(safe_stream(stream));
    at += std::max<size_t>(name.size(), 1);
  }
  return filled.substr(0, filled.rfind('/') + 1);
}

bool ObjectPath::is_fixed() const { return find_placeholder(text_) == text_.size(); }

bool ObjectPath::differs() const { return find_placeholder(text_, "{stream}") < text_.size(); }

}  // namespace patchbay
