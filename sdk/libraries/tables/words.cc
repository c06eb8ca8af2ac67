#include "patchbay/tables/words.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "patchbay/json_value.h"

namespace patchbay::tables {
namespace {

constexpr size_t kMostBytes = 500;
// One remote message is a few kilobytes; what is beyond is not shown, so it need not be masked.
constexpr size_t kMostLookedAt = 16 << 10;
constexpr const char* kMask = "***";

using Names = std::set<std::string, std::less<>>;

void collect_names(const std::vector<Field>& fields, Names& out) {
  for (const auto& field : fields) {
    out.insert(field.name);
    const Type* type = &field.type;
    while (type->id == TypeId::kList) type = &type->fields[0].type;
    collect_names(type->fields, out);
  }
}

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

// rows[3].json.city is how a request spells the path city.
std::string_view without_request_path(std::string_view text) {
  if (!text.starts_with("rows[")) return text;
  const size_t at = text.find("].json.");
  const auto digits = text.substr(5, at == text.npos ? 0 : at - 5);
  const bool is_path =
      at != text.npos && std::all_of(digits.begin(), digits.end(), [](char c) {
        return (c >= '0' && c <= '9') || c == '*';  // the number may be a value, too
      });
  return is_path ? text.substr(at + 7) : text;
}

// NULL, a name or a path of names: f, recipient.suffix.
bool is_harmless(std::string_view text, const Names& names) {
  while (text.ends_with('.') || text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || text == "NULL" || text == kMask) return true;
  text = without_request_path(text);
  if (names.contains(text)) return true;
  for (size_t at = 0; at <= text.size();) {
    const size_t dot = std::min(text.find('.', at), text.size());
    if (!names.contains(text.substr(at, dot - at))) return false;
    at = dot + 1;
  }
  return true;
}

// Whether a quote at `at` may begin, or end, a quotation: that of can't does neither.
bool may_open(std::string_view text, size_t at) { return at == 0 || !is_letter(text[at - 1]); }
bool may_close(std::string_view text, size_t at) {
  return at + 1 >= text.size() || !is_letter(text[at + 1]);
}

// A value may hold quotes of its own: only from the first to the last one is it surely whole.
std::string without_quoted(std::string text, char quote, const Names& names) {
  size_t first = text.find(quote);
  while (first != text.npos && !may_open(text, first)) first = text.find(quote, first + 1);
  if (first == text.npos) return text;
  size_t last = text.rfind(quote);
  while (last > first && !may_close(text, last)) last = text.rfind(quote, last - 1);
  if (last <= first) last = text.size();  // it was cut off
  if (is_harmless(std::string_view(text).substr(first + 1, last - first - 1), names)) return text;
  const std::string rest = last < text.size() ? text.substr(last + 1) : "";
  return text.substr(0, first + 1) + kMask + quote + rest;
}

std::string without_named_value(std::string text, const Names& names) {
  for (const std::string_view word : {"alue:", "alue):"}) {
    const size_t at = text.find(word);
    if (at == text.npos) continue;
    const size_t begin = at + word.size();
    if (!is_harmless(std::string_view(text).substr(begin), names))
      text = text.substr(0, begin) + " " + kMask;
  }
  return text;
}

// A text of one or two letters is masked where it is a word of its own; a long one also where the
// remote has cut it off.
void mask_text(std::string& message, const std::string& value) {
  constexpr size_t kShort = 3, kLong = 16;
  const std::string begin = value.substr(0, kLong);
  for (size_t at = message.find(begin); at != message.npos; at = message.find(begin, at)) {
    size_t end = at;
    while (end < message.size() && end - at < value.size() && message[end] == value[end - at])
      ++end;
    const bool whole = (at == 0 || !is_letter(message[at - 1])) &&
                       (end == message.size() || !is_letter(message[end]));
    if (value.size() < kShort && !whole) {
      at = end;
      continue;
    }
    message.replace(at, end - at, kMask);
    at += std::string_view(kMask).size();
  }
}

void collect_texts(const Json::Value& value, std::vector<std::string>& out) {
  if (value.isArray() || value.isObject()) {
    for (const auto& one : value) collect_texts(one, out);
    return;
  }
  const bool is_text = (value.isString() && !value.asString().empty()) || value.isNumeric();
  if (is_text) out.push_back(value.asString());
}

}  // namespace

std::vector<std::string> texts_of(const Batch& batch, int64_t row) {
  std::vector<std::string> out;
  collect_texts(parse_json(row_to_json(*batch.schema(), batch.array(), row)), out);
  return out;
}

std::string without_values(const std::string& message, const Schema& stream,
                           const std::vector<std::string>& texts) {
  Names names;
  collect_names(stream.fields, names);
  std::string out = message.substr(0, kMostLookedAt);
  std::vector<std::string> longest_first;
  for (const auto& text : texts) {
    if (!names.contains(text)) longest_first.push_back(text);
  }
  std::sort(longest_first.begin(), longest_first.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& text : longest_first) mask_text(out, text);
  for (const char quote : {'"', '\'', '`'}) out = without_quoted(std::move(out), quote, names);
  out = without_named_value(std::move(out), names);
  if (out.size() > kMostBytes) out.resize(kMostBytes);
  return out;
}

}  // namespace patchbay::tables
