#include "engine/schema_steps.h"

namespace patchbay::host {

void SchemaSteps::judge(size_t sink, Json::Value& step, const std::string& origin) {
  if (step["action"].asString() != "add_column") return;
  const std::string field = step["field"].asString();
  const std::string type = step["type"].asString();
  const SchemaPolicy policy = run_.pipeline.on_schema_change;
  if (policy != SchemaPolicy::kEvolve && policy != SchemaPolicy::kIgnore) {
    throw NodeError(
        run_.pipeline.nodes[sink].id, Code::kSchema,
        field + ": the table " + step["table"].asString() + " has no such column (" + type +
            "); add it, drop the field with `fields`, or set on_schema_change to evolve or ignore",
        "", false);
  }
  step["apply"] = policy == SchemaPolicy::kEvolve;
  if (run_.source_changed_schema(origin)) return;  // reported there, by its name in the source
  run_.note_schema_change(origin,
                          {field, type, policy == SchemaPolicy::kEvolve ? "added" : "ignored"});
}

void SchemaSteps::bring_up(size_t sink, Instance& instance, const SchemaPtr& schema,
                           const std::string& origin, NodeServices& services) {
  const std::lock_guard lock(mutex_);
  const auto key = std::pair<const Instance*, std::string>(&instance, schema->name);
  const auto found = done_.find(key);
  if (found != done_.end() && found->second == *schema) return;
  Json::Value steps = instance.plan_schema(services, *schema);
  for (auto& step : steps) judge(sink, step, origin);
  instance.apply_schema(services, *schema, steps);
  done_.insert_or_assign(key, *schema);
}

}  // namespace patchbay::host
