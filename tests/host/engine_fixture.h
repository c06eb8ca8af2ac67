// A run of a pipeline whose plugins are fakes, for tests of the engine's parts.
#pragma once

#include <json/reader.h>

#include <memory>
#include <optional>
#include <string>

#include "engine/call.h"
#include "engine/run_context.h"
#include "engine/runtime.h"
#include "engine/settlement.h"
#include "fake_plugin.h"
#include "pipeline_fixture.h"

namespace patchbay::host {

class EngineFixture : public PipelineFixture {
 protected:
  EngineFixture() {
    for (const auto& [id, components] : fake_manifests()) add(id, components);
  }

  // Nodes in YAML; `retry` never waits.
  void begin(const std::string& nodes, const std::string& settings = "") {
    pipeline_ = parse("name: p\nretry: {attempts: 1}\n" + settings + "nodes:\n" + nodes);
    state_.emplace(folder_.path() / "state", "p", faults_);
    run("run1");
  }

  // Another run of the same pipeline.
  void run(const std::string& id) {
    instances_ = {};
    runtime_.reset();
    run_.emplace(*pipeline_, run_options_, "local", id, *state_, secrets_, faults_);
    run_->warn = [this](const std::string& node, const std::string& message) {
      warnings_.push_back(node + ": " + message);
    };
    runtime_.emplace(*run_, logger_, [](const Manifest&) { return fake_plugin(); });
    std::vector<size_t> all;
    for (size_t i = 0; i < pipeline_->nodes.size(); ++i) all.push_back(i);
    instances_ = runtime_->make_instances(all);
  }

  size_t node(const std::string& id) const {
    for (size_t i = 0; i < pipeline_->nodes.size(); ++i)
      if (pipeline_->nodes[i].id == id) return i;
    throw std::out_of_range(id);
  }

  std::vector<SettledSink> sinks() {
    std::vector<SettledSink> sinks;
    for (size_t i = 0; i < pipeline_->nodes.size(); ++i)
      if (pipeline_->nodes[i].kind == Kind::kSink)
        sinks.push_back({i, instances_.instances[i].get()});
    return sinks;
  }

  // A lane with all nodes of the pipeline.
  Lane lane(size_t number = 0) const {
    Lane lane;
    lane.key = "s1/" + std::to_string(number);
    lane.number = number;
    for (size_t i = 0; i < pipeline_->nodes.size(); ++i) lane.nodes.push_back(i);
    lane.streams = {"a"};
    return lane;
  }

  FakeSystems systems_;
  FaultHook faults_{nullptr};
  Redactor redactor_;
  Logger logger_{0, LogFormat::kText, redactor_};
  SecretStore secrets_{{}, [](std::string_view) {}};
  RunOptions run_options_;
  std::optional<Pipeline> pipeline_;
  std::optional<StateStore> state_;
  std::optional<RunContext> run_;
  std::optional<Runtime> runtime_;
  InstanceSet instances_;
  std::vector<std::string> warnings_;
};

}  // namespace patchbay::host
