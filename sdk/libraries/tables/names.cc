#include "patchbay/tables/names.h"

#include <map>

#include "patchbay/error.h"

namespace patchbay::tables {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

const std::vector<Field>& members(const Type& type) {
  return type.id == TypeId::kList ? members(type.fields[0].type) : type.fields;
}

void require_names_at(const NamePolicy& policy, const std::vector<Field>& fields, bool nested,
                      const std::string& path) {
  std::map<std::string, std::string> seen;
  for (const auto& field : fields) {
    const std::string at = path + field.name;
    if (policy.most_bytes > 0 && field.name.size() > policy.most_bytes) {
      throw Error(Code::kConfig, at + ": is longer than the " + std::to_string(policy.most_bytes) +
                                     " bytes that " + policy.system +
                                     " allows for a name; rename it with `fields`");
    }
    const auto [other, is_new] =
        seen.emplace(policy.columns_know_case ? field.name : folded(field.name), field.name);
    if (!is_new) {
      throw Error(Code::kConfig,
                  at +
                      (other->second == field.name
                           ? ": is there twice"
                           : ": differs only by case from " + path + other->second + ", and " +
                                 policy.system + " takes both for one column") +
                      "; rename or drop one of them with `fields`");
    }
    if (nested) require_names_at(policy, members(field.type), nested, at + ".");
  }
}

}  // namespace

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = lower(c);
  return out;
}

bool same_column(const NamePolicy& policy, std::string_view a, std::string_view b) {
  return a == b || (!policy.columns_know_case && folded(a) == folded(b));
}

bool same_table(const NamePolicy& policy, std::string_view a, std::string_view b) {
  return a == b || (!policy.tables_know_case && folded(a) == folded(b));
}

void require_names(const NamePolicy& policy, const std::vector<Field>& fields, bool nested) {
  require_names_at(policy, fields, nested, "");
}

}  // namespace patchbay::tables
