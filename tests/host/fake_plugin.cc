#include "fake_plugin.h"

#include "engine/call.h"

namespace patchbay::host {
namespace {

FakeSystems* the_systems = nullptr;

class FakeSource : public Source {
 public:
  FakeSource(Context&, const Config& config) : name_(config.get<std::string>("name")) {}
  void check(Call&) override {}
  std::vector<Schema> discover(Call&) override { return {}; }
  std::vector<Split> plan(Call& call, const std::vector<std::string>&, uint32_t) override {
    FakeSystems::current().called(name_, "plan", "");
    std::vector<Split> left;
    for (const auto& split : FakeSystems::current().splits[name_])
      if (!split.once || !call.is_done(split.id)) left.push_back(split);
    return left;
  }
  std::unique_ptr<Reader> open(Call&, const Split&, const Json::Value&) override {
    throw Error(Code::kInternal, "nothing is read here");
  }

 private:
  const std::string name_;
};

class FakeAll : public Transform {
 public:
  FakeAll(Context&, const Config&) {}
  std::unique_ptr<Reader> open(Call&, std::vector<Input>) override {
    throw Error(Code::kInternal, "nothing is read here");
  }
};

class FakeSink : public Sink {
 public:
  FakeSink(Context&, const Config& config) : name_(config.get<std::string>("name")) {}
  void check(Call&) override {}
  Json::Value plan_schema(Call&, const SchemaPtr& stream) override {
    FakeSystems::current().called(name_, "plan_schema", stream->name);
    return FakeSystems::current().steps[name_];
  }
  void apply_schema(Call&, const SchemaPtr& stream, const Json::Value& steps) override {
    std::string what = stream->name;
    for (const auto& step : steps)
      if (!step.isMember("apply") || step["apply"].asBool())
        what += " " + step["action"].asString();
    FakeSystems::current().called(name_, "apply_schema", what);
  }
  std::unique_ptr<Writer> open(Call&, const SchemaPtr&, const std::string&) override {
    throw Error(Code::kInternal, "nothing is written here");
  }
  void commit(Call&, const std::string& txn, uint64_t, std::span<const std::string>) override {
    FakeSystems::current().called(name_, "commit", txn);
  }
  void abort(Call&, std::span<const std::string> txns) override {
    for (const auto& txn : txns) FakeSystems::current().called(name_, "abort", txn);
  }
  Outcome outcome(Call&, const std::string& txn, std::span<const std::string>) override {
    FakeSystems::current().called(name_, "outcome", txn);
    const auto& outcomes = FakeSystems::current().outcomes;
    const auto found = outcomes.find(name_);
    return found == outcomes.end() ? Outcome::kUnknown : found->second;
  }

 private:
  const std::string name_;
};

std::string sink(const std::string& more) {
  return R"({"name": "table", "kind": "sink", "tables_option": "tables", "target": ["name"],
    "delivery": "transactional", )" +
         more + R"("config": {"type": "object", "properties": {
      "name": {"type": "string", "identity": true},
      "tables": {"type": "object", "additionalProperties": {"type": "string"}},
      "write": {"enum": ["append", "replace", "upsert"], "default": "append"}}}})";
}

}  // namespace

FakeSystems::FakeSystems() { the_systems = this; }
FakeSystems::~FakeSystems() { the_systems = nullptr; }
FakeSystems& FakeSystems::current() { return *the_systems; }

std::vector<std::string> FakeSystems::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void FakeSystems::forget_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

void FakeSystems::called(const std::string& node, const std::string& call,
                         const std::string& argument) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(node + " " + call + (argument.empty() ? "" : " " + argument));
  auto& failures = failures_[node + " " + call];
  if (failures.empty()) return;
  const Code code = failures.front();
  failures.pop_front();
  throw Error(code, call + " fails");
}

void FakeSystems::fail(const std::string& node, const std::string& call, Code code) {
  const std::lock_guard lock(mutex_);
  failures_[node + " " + call].push_back(code);
}

const bay_plugin* fake_plugin() {
  static const bay_plugin* const plugin = make_plugin(
      host_table(), "fake", "1.2.0",
      {component<FakeSource>("rows"), component<FakeAll>("all"), component<FakeSink>("table")});
  return plugin;
}

const std::map<std::string, std::string>& fake_manifests() {
  static const std::map<std::string, std::string> manifests = {
      {"fake", R"({"name": "rows", "kind": "source", "replayable": true,
         "incremental": {"option": "cursor"}, "config": {"type": "object", "properties": {
           "name": {"type": "string", "identity": true},
           "cursor": {"type": "string", "identity": true}}}},
       {"name": "all", "kind": "transform", "inputs": "many", "checkpoint": "at_end",
         "needs": "all", "config": {"type": "object"}}, )" +
                   sink("")},
      {"forgetful", sink(R"("prepared": "session", )")},
      {"either", sink(R"("prepared": "on_request", )")},
      {"alone", sink(R"("commits": "alone", )")},
  };
  return manifests;
}

}  // namespace patchbay::host
