// Brings a sink's tables to the schema of the streams it gets, once per instance, stream and
// schema.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/component.h"
#include "engine/lane.h"
#include "engine/run_context.h"
#include "sync/sync.h"

namespace patchbay::host {

// Throws NodeError kSchema where the pipeline's policy forbids a step that the sink has planned.
void require_allowed(const Pipeline& pipeline, size_t sink, const Json::Value& step);

// Takes "has_rows" out of what a sink has planned; true where it was there.
bool take_has_rows(Json::Value& steps);

class SchemaSteps {
 public:
  explicit SchemaSteps(RunContext& run) : run_(run) {}

  // The lanes that carry a source's stream, first to last. The first that brings the stream to a
  // sink settles what a new table looks like, whichever is fastest.
  void expect(const std::string& lane, const std::vector<std::string>& origins);
  // The lane ended, failed, or waits for its source: the next need not wait for it.
  void leave(const std::string& lane);
  void wake();  // whoever waits looks at its `cancel` again

  // Plans, judges by the pipeline's policy, applies. `origin` is the source's stream, for the
  // report. Other lanes wait. Returns the fields that the target lacks and whose rows the policy
  // rejects. Throws kSchema where a column is missing and the policy does not allow to add or leave
  // it out, kCancelled.
  std::vector<std::string> bring_up(size_t sink, Instance& instance, const SchemaPtr& schema,
                                    const Lane& lane, const std::string& origin,
                                    NodeServices& services);

 private:
  using Settled = std::pair<size_t, std::string>;  // sink and origin

  void require_target(size_t sink, const Json::Value& step, const std::string& origin,
                      const Lane& lane) const;
  void refuse_second_copy(size_t sink, const Schema& schema) const;
  void judge(size_t sink, Json::Value& step, const std::string& origin, const Lane& lane);
  void wait_turn(Lock& lock, const Settled& what, const std::string& lane,
                 const CancelToken& cancel);
  bool is_turn(const Settled& what, const std::string& lane) const;

  RunContext& run_;
  sync::Mutex mutex_;
  sync::Condition changed_;
  std::map<std::string, std::vector<std::string>> lanes_;  // by origin
  std::set<std::string> left_;
  std::set<Settled> settled_;
  struct Done {
    Schema schema;
    std::vector<std::string> refused;
  };
  std::map<std::pair<const Instance*, std::string>, Done> done_;
};

}  // namespace patchbay::host
