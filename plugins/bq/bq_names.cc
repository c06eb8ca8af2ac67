#include "bq_names.h"

#include <algorithm>
#include <array>

#include "patchbay/error.h"

namespace patchbay {
namespace {

constexpr size_t kMostBytes = 300;
constexpr int kDeepest = 15;
constexpr std::array<const char*, 6> kReserved{"_table_",        "_file_",   "_partition",
                                               "_row_timestamp", "__root__", "_colidentifier"};

const std::vector<Field>& members(const Type& type) {
  return type.id == TypeId::kList ? members(type.fields[0].type) : type.fields;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool has_allowed_characters(const std::string& name) {
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

void require_name(const std::string& path, const std::string& name) {
  const std::string lower = tables::folded(name);
  const auto* reserved = std::find_if(kReserved.begin(), kReserved.end(), [&](const char* prefix) {
    return lower.starts_with(prefix);
  });
  if (has_allowed_characters(name) && name.size() <= kMostBytes && reserved == kReserved.end())
    return;
  const std::string why =
      reserved != kReserved.end()
          ? std::string("begins with ") + *reserved + ", which BigQuery keeps for itself"
          : "is no name that BigQuery has: letters, digits and _, not a digit first, at most 300";
  throw Error(Code::kConfig,
              path + ": " + why + "; rename it with `fields`, as rename: snake does");
}

void require_names_at(const std::vector<Field>& fields, const std::string& path, int depth) {
  for (const auto& field : fields) {
    if (depth > kDeepest) {
      throw Error(Code::kConfig,
                  path + field.name +
                      ": is nested deeper than the 15 levels that BigQuery has; drop "
                      "it with `fields`");
    }
    require_name(path + field.name, field.name);
    require_names_at(members(field.type), path + field.name + ".", depth + 1);
  }
}

// A name may hold dots of its own, so the path is looked for, not taken apart.
const Field* find_field(const std::vector<Field>& fields, const std::string& at,
                        const std::string& path) {
  for (const auto& field : fields) {
    if (at + field.name == path) return &field;
    if (const Field* inner = find_field(members(field.type), at + field.name + ".", path))
      return inner;
  }
  return nullptr;
}

}  // namespace

void require_new_names(const std::vector<Field>& fields) { require_names_at(fields, "", 1); }

void require_new_name(const Schema& stream, const std::string& path) {
  const Field* field = find_field(stream.fields, "", path);
  if (!field) return;  // an earlier announcement's
  require_name(path, field->name);
  require_names_at(members(field->type), path + ".", 2);
}

void require_key_types(const tables::TableOptions& options, const Schema& stream) {
  if (!options.has_keys()) return;
  for (const auto& key : options.keys) {
    for (const auto& field : stream.fields) {
      if (!tables::same_column(kBqNames, field.name, key)) continue;
      const TypeId id = field.type.id;
      if (id != TypeId::kFloat32 && id != TypeId::kFloat64 && id != TypeId::kList &&
          id != TypeId::kStruct && !field.type.json)
        continue;
      config_error("keys",
                   key + " is " + type_name(field.type) +
                       ", which BigQuery can't group by; name other columns, or cast it with "
                       "`fields`");
    }
  }
}

}  // namespace patchbay
