#include "engine/schema_steps.h"

namespace patchbay::host {

void require_allowed(const Pipeline& pipeline, size_t sink, const Json::Value& step) {
  if (step["action"].asString() != "add_column") return;
  const SchemaPolicy policy = pipeline.on_schema_change;
  if (policy != SchemaPolicy::kFail) return;
  throw NodeError(pipeline.nodes[sink].id, Code::kSchema,
                  step["field"].asString() + ": the table " + step["table"].asString() +
                      " has no such column (" + step["type"].asString() +
                      "); add it, drop the field with `fields`, or set on_schema_change to evolve, "
                      "ignore or reject",
                  "", false);
}

bool take_has_rows(Json::Value& steps) {
  Json::Value rest(Json::arrayValue);
  for (auto& step : steps) {
    if (step["action"].asString() != "has_rows") rest.append(std::move(step));
  }
  const bool has_rows = rest.size() != steps.size();
  steps = std::move(rest);
  return has_rows;
}

// What the stream's state is ahead of is not made anew in silence.
void SchemaSteps::require_target(size_t sink, const Json::Value& step, const std::string& origin,
                                 const Lane& lane) const {
  const std::string& id = run_.pipeline.nodes[sink].id;
  if (lane.from_start || !run_.identities.was_delivered(origin, id)) return;
  throw NodeError(
      id, Code::kConfig,
      "the table " + step["table"].asString() + " is not there, though earlier runs delivered " +
          origin + " into it: only what is new would be in a new one. `patchbay run " +
          run_.pipeline.name + " --full-refresh` reads everything again; `patchbay state accept " +
          run_.pipeline.name + " --stream " + origin + "` goes on with what is new",
      "", false);
}

// It would double the rows of the first.
void SchemaSteps::refuse_second_copy(size_t sink, const Schema& schema) const {
  const Node& node = run_.pipeline.nodes[sink];
  if (!run_.options.one_off || node.config["write"] != "append" || node.literal.isMember("write"))
    return;
  throw NodeError(node.id, Code::kConfig,
                  "the table for " + schema.name +
                      " has rows already: say write=append for rows beside those, write=replace "
                      "for rows in their place, or write=upsert with keys=",
                  "", false);
}

void SchemaSteps::judge(size_t sink, Json::Value& step, const std::string& origin,
                        const Lane& lane) {
  if (step["action"].asString() == "create_table") require_target(sink, step, origin, lane);
  if (step["action"].asString() != "add_column") return;
  const std::string field = step["field"].asString();
  const std::string type = step["type"].asString();
  const SchemaPolicy policy = run_.pipeline.on_schema_change;
  require_allowed(run_.pipeline, sink, step);
  step["apply"] = policy == SchemaPolicy::kEvolve;
  if (run_.source_changed_schema(origin)) return;  // reported there, by its name in the source
  run_.note_schema_change(origin, {field, type,
                                   policy == SchemaPolicy::kEvolve   ? "added"
                                   : policy == SchemaPolicy::kReject ? "rejected"
                                                                     : "ignored"});
}

void SchemaSteps::expect(const std::string& lane, const std::vector<std::string>& origins) {
  const Guard lock(mutex_);
  for (const auto& origin : origins) lanes_[origin].push_back(lane);
}

void SchemaSteps::leave(const std::string& lane) {
  {
    const Guard lock(mutex_);
    left_.insert(lane);
  }
  changed_.notify_all();
}

void SchemaSteps::wake() {
  {
    const Guard lock(mutex_);
  }  // nobody is between its look and its wait
  changed_.notify_all();
}

bool SchemaSteps::is_turn(const Settled& what, const std::string& lane) const {
  if (settled_.contains(what)) return true;
  const auto lanes = lanes_.find(what.second);
  if (lanes == lanes_.end()) return true;
  for (const auto& earlier : lanes->second) {
    if (earlier == lane) return true;
    if (!left_.contains(earlier)) return false;
  }
  return true;
}

void SchemaSteps::wait_turn(Lock& lock, const Settled& what, const std::string& lane,
                            const CancelToken& cancel) {
  changed_.wait(lock, [&] { return cancel.cancelled() || is_turn(what, lane); });
  if (cancel.cancelled()) throw Error(Code::kCancelled, "cancelled");
}

std::vector<std::string> SchemaSteps::bring_up(size_t sink, Instance& instance,
                                               const SchemaPtr& schema, const Lane& lane,
                                               const std::string& origin, NodeServices& services) {
  Lock lock(mutex_);
  const Settled what(sink, origin);
  wait_turn(lock, what, lane.key, services.cancel());
  const auto key = std::pair<const Instance*, std::string>(&instance, schema->name);
  Done& done = done_[key];
  if (!(done.schema == *schema)) {
    done = {};
    Json::Value steps = instance.plan_schema(services, *schema);
    if (take_has_rows(steps) && !settled_.contains(what)) refuse_second_copy(sink, *schema);
    for (auto& step : steps) {
      judge(sink, step, origin, lane);
      if (step["action"].asString() == "add_column" &&
          run_.pipeline.on_schema_change == SchemaPolicy::kReject)
        done.refused.push_back(step["field"].asString());
    }
    instance.apply_schema(services, *schema, steps);
    done.schema = *schema;
  }
  std::vector<std::string> refused = done.refused;
  settled_.insert(what);
  lock.unlock();
  changed_.notify_all();
  return refused;
}

}  // namespace patchbay::host
