#include "cli/values.h"

#include <algorithm>

#include "pipeline/passwords.h"
#include "report/table.h"

namespace patchbay::host {

Json::Value values_json(const std::vector<NamedValue>& values) {
  Json::Value list(Json::arrayValue);
  for (const auto& value : values) {
    Json::Value one;
    one["name"] = value.name;
    one["value"] = without_passwords(value.value);
    one["from"] = value.from;
    list.append(one);
  }
  return list;
}

Printed values_text(std::vector<NamedValue> values) {
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  Table table({"name", "value", "from"});
  for (const auto& value : values)
    table.add({value.name, without_passwords(value.value), value.from});
  return table.text({});
}

}  // namespace patchbay::host
