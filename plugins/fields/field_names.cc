#include "field_names.h"

#include "patchbay/error.h"
#include "patchbay/suggest.h"

namespace patchbay {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }

void append_title(std::string& out, std::string_view word) {
  bool after_letter = false;
  for (const char c : word) {
    const bool letter = is_upper(c) || is_lower(c) || static_cast<unsigned char>(c) >= 0x80;
    out += after_letter ? to_lower(c) : to_upper(c);
    after_letter = letter;
  }
}

void check_unique(const std::vector<Field>& before, const std::vector<Field>& after,
                  const std::string& path) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < after.size(); ++i) {
    const auto [first, is_new] = seen.emplace(after[i].name, i);
    if (is_new) continue;
    throw Error(Code::kConfig, "rename: " + path + before[first->second].name + " and " + path +
                                   before[i].name + " both become " + path + after[i].name +
                                   "; drop one of them, or rename them one by one");
  }
}

std::vector<Field> respell_fields(const std::vector<Field>& fields, Spelling spelling,
                                  const std::string& path);

Type respell_type(Type type, Spelling spelling, const std::string& path) {
  if (type.id == TypeId::kStruct) type.fields = respell_fields(type.fields, spelling, path + ".");
  if (type.id == TypeId::kList) {
    type.fields[0].type = respell_type(std::move(type.fields[0].type), spelling, path + "[]");
  }
  return type;
}

std::vector<Field> respell_fields(const std::vector<Field>& fields, Spelling spelling,
                                  const std::string& path) {
  std::vector<Field> out;
  for (const auto& field : fields) {
    out.push_back({spelling(field.name), respell_type(field.type, spelling, path + field.name),
                   field.nullable});
  }
  check_unique(fields, out, path);
  return out;
}

}  // namespace

std::string camel_case(std::string_view name) {
  const size_t first = std::min(name.find('_'), name.size());
  std::string out(name.substr(0, first));
  for (size_t at = first; at < name.size();) {
    const size_t end = std::min(name.find('_', at + 1), name.size());
    append_title(out, name.substr(at + 1, end - at - 1));
    at = end;
  }
  return out;
}

std::string snake_case(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool starts_word =
        i > 0 && is_upper(c) &&
        (is_lower(name[i - 1]) || is_digit(name[i - 1]) ||
         (is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1])));
    if (starts_word) out += '_';
    out += c == ' ' || c == '-' || c == '.' ? '_' : to_lower(c);
  }
  return out;
}

std::string lower_case(std::string_view name) {
  std::string out;
  for (const char c : name) out += to_lower(c);
  return out;
}

Schema respell(const Schema& schema, Spelling spelling) {
  Schema out{schema.name, respell_fields(schema.fields, spelling, ""), {}};
  for (const auto& key : schema.keys) out.keys.push_back(spelling(key));
  return out;
}

Schema rename(const Schema& schema, const std::map<std::string, std::string>& names) {
  Schema out = schema;
  std::vector<std::string> known;
  for (const auto& field : schema.fields) known.push_back(field.name);
  for (const auto& [old_name, new_name] : names) {
    const int i = schema.index_of(old_name);
    if (i < 0) {
      throw Error(Code::kConfig, "rename: stream " + schema.name + " has no field " + old_name +
                                     did_you_mean(old_name, known));
    }
    out.fields[static_cast<size_t>(i)].name = new_name;
    for (auto& key : out.keys) {
      if (key == old_name) key = new_name;
    }
  }
  check_unique(schema.fields, out.fields, "");
  return out;
}

}  // namespace patchbay
