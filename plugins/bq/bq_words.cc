#include "bq_words.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace patchbay {
namespace {

constexpr size_t kMostBytes = 500;

void collect_names(const std::vector<Field>& fields, std::set<std::string, std::less<>>& out) {
  for (const auto& field : fields) {
    out.insert(field.name);
    const Type& type = field.type;
    collect_names(type.id == TypeId::kList ? type.fields[0].type.fields : type.fields, out);
  }
}

// NULL, a name or a path of names: f, recipient.suffix.
bool is_harmless(std::string_view text, const std::set<std::string, std::less<>>& names) {
  while (text.ends_with('.') || text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || text == "NULL") return true;
  for (size_t at = 0; at <= text.size();) {
    const size_t dot = std::min(text.find('.', at), text.size());
    if (names.find(text.substr(at, dot - at)) == names.end()) return false;
    at = dot + 1;
  }
  return true;
}

// Where the value that begins at `at` ends; npos where none begins there.
size_t end_of_value(std::string_view message, size_t at) {
  const char c = message[at];
  const bool after_letter = at > 0 && std::isalnum(static_cast<unsigned char>(message[at - 1]));
  if (c == '"' || (c == '\'' && !after_letter))
    return std::min(message.find(c, at + 1), message.size());
  const std::string_view before = message.substr(0, at);
  if (before.ends_with("alue:") || before.ends_with("alue):"))
    return std::min(message.find(';', at), message.size());
  return std::string_view::npos;
}

}  // namespace

std::string without_values(const std::string& message, const Schema& stream) {
  std::set<std::string, std::less<>> names;
  collect_names(stream.fields, names);
  std::string out;
  for (size_t at = 0; at < message.size() && out.size() < kMostBytes;) {
    const size_t end = end_of_value(message, at);
    if (end == std::string::npos) {
      out += message[at++];
      continue;
    }
    const bool quoted = message[at] == '"' || message[at] == '\'';
    const size_t begin = quoted ? at + 1 : at;
    const std::string value = message.substr(begin, end - begin);
    const std::string shown = is_harmless(value, names) ? value : quoted ? "***" : " ***";
    out += quoted ? message[at] + shown + message[at] : shown;
    at = quoted ? end + 1 : end;
  }
  return out;
}

}  // namespace patchbay
