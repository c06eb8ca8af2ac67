// What the host offers a node while one of its calls runs.
#pragma once

#include <string>

#include "engine/run_context.h"

namespace patchbay::host {

// For calls outside the flow of data: create, check, discover, plan, recovery.
class BasicServices : public NodeServices {
 public:
  BasicServices(RunContext& run, size_t node, const CancelToken& cancel)
      : run_(run), node_(node), cancel_(cancel) {
    run_.watch_calls(clock, node_);
  }
  ~BasicServices() override { run_.watch_no_more(clock); }
  BasicServices(const BasicServices&) = delete;
  BasicServices& operator=(const BasicServices&) = delete;

  const CancelToken& cancel() const override { return cancel_; }
  RetryLimits retry() const override { return run_.retry(); }
  std::string secret(std::string_view name) override;
  bay_status input_next(bay_call* call, bay_input* input, bay_event* out) override;
  bay_status reject(RejectedRows rejected) override;
  int64_t max_rows() override;
  ChangeDecision schema_change(std::string_view stream, std::string_view path,
                               std::string_view type) override;
  void durable_step(std::string_view name) override { run_.faults.step(name); }
  const EpochInfo* epoch() const override { return nullptr; }
  void claim(std::string_view) override {}
  bool is_done(std::string_view) override { return false; }

 protected:
  const std::string& id() const { return run_.pipeline.nodes[node_].id; }
  RunContext& run_;
  const size_t node_;
  const CancelToken& cancel_;
};

// For calls on a sink about one epoch, outside the flow of data.
class EpochServices : public BasicServices {
 public:
  EpochServices(RunContext& run, size_t node, const CancelToken& cancel, EpochInfo epoch)
      : BasicServices(run, node, cancel), epoch_(std::move(epoch)) {}

  const EpochInfo* epoch() const override { return &epoch_; }

 private:
  const EpochInfo epoch_;
};

// Aborting after a failure: does not try for long, since the next run aborts what is left.
class CleanupServices : public EpochServices {
 public:
  CleanupServices(RunContext& run, size_t node, EpochInfo epoch)
      : EpochServices(run, node, run.cleanup, std::move(epoch)) {}

  RetryLimits retry() const override;
};

// Rows of one batch, at most: what a reader is asked for where nothing narrower applies.
inline constexpr int64_t kMaxBatchRows = 65536;

}  // namespace patchbay::host
