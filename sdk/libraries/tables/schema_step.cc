#include "patchbay/tables/schema_step.h"

#include <algorithm>
#include <array>

#include "patchbay/error.h"

namespace patchbay::tables {
namespace {

using Kind = SchemaStep::Kind;

constexpr std::array<const char*, 4> kActions{"create_dataset", "create_table", "add_column",
                                              "recreate_table"};
constexpr const char* kHasRows = "has_rows";  // says something to the host, and is no step

}  // namespace

Json::Value to_json(const std::vector<SchemaStep>& steps) {
  Json::Value out(Json::arrayValue);
  for (const auto& step : steps) {
    Json::Value one;
    one["action"] = kActions.at(static_cast<size_t>(step.kind));
    one["table"] = step.table;
    if (step.kind == Kind::kAddColumn) {
      one["field"] = step.field;
      one["type"] = type_name(step.type);
    }
    if (!step.apply) one["apply"] = false;
    out.append(one);
  }
  return out;
}

std::vector<SchemaStep> steps_from_json(const Json::Value& steps) {
  std::vector<SchemaStep> out;
  for (const auto& one : steps) {
    const std::string action = one["action"].asString();
    if (action == kHasRows) continue;
    const auto* found = std::find(kActions.begin(), kActions.end(), action);
    if (found == kActions.end())
      throw Error(Code::kInternal, "apply_schema: there is no action " + action);
    SchemaStep step{static_cast<Kind>(found - kActions.begin()), one["table"].asString()};
    if (step.kind == Kind::kAddColumn) {
      step.field = one["field"].asString();
      step.type = parse_type(one["type"].asString());
    }
    step.apply = one.get("apply", true).asBool();
    out.push_back(std::move(step));
  }
  return out;
}

Json::Value with_rows(Json::Value steps, const std::string& table) {
  Json::Value one;
  one["action"] = kHasRows;
  one["table"] = table;
  steps.append(one);
  return steps;
}

void DeclinedFields::note(const std::string& stream, const std::vector<SchemaStep>& steps) {
  auto& paths = paths_[stream];
  paths.clear();
  for (const auto& step : steps) {
    if (step.kind == Kind::kAddColumn && !step.apply) paths.insert(step.field);
  }
}

bool DeclinedFields::holds(const std::string& stream, const std::string& path) const {
  const auto found = paths_.find(stream);
  return found != paths_.end() && found->second.contains(path);
}

bool DeclinedFields::any(const std::string& stream) const {
  const auto found = paths_.find(stream);
  return found != paths_.end() && !found->second.empty();
}

}  // namespace patchbay::tables
