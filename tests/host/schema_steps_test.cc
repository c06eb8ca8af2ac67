// A sink's tables follow the streams' schemas, as far as the pipeline's policy goes.
#include "engine/schema_steps.h"

#include <gmock/gmock.h>

#include <thread>

#include "engine/services.h"
#include "engine_fixture.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

class Steps : public EngineFixture {
 protected:
  void open(const std::string& policy) {
    begin(
        "  - {id: s1, use: fake.rows, with: {name: s1, cursor: c}}\n"
        "  - {id: t1, use: fake.table, from: s1, with: {name: t1}}\n",
        "on_schema_change: " + policy + "\n");
    steps_.emplace(*run_);
    systems_.forget_calls();
  }

  std::vector<std::string> bring_up(const std::vector<std::string>& fields, size_t number = 0) {
    Schema schema{"a", {}, {}};
    for (const auto& field : fields) schema.fields.push_back({field, scalar(TypeId::kInt64), true});
    EpochServices services(*run_, node("t1"), cancel_, {});
    return steps_->bring_up(node("t1"), *instances_.instances[node("t1")],
                            std::make_shared<const Schema>(schema), lane(number), "a", services);
  }

  std::optional<SchemaSteps> steps_;
  CancelToken cancel_;
};

TEST_F(Steps, ANewColumnIsWhatThePolicySays) {
  const struct {
    const char* policy;
    std::vector<std::string> refused;
    std::string applied;
  } kCases[] = {{"evolve", {}, "t1 apply_schema a add_column"},
                {"ignore", {}, "t1 apply_schema a"},
                {"reject", {"g"}, "t1 apply_schema a"}};
  for (const auto& c : kCases) {
    systems_.steps["t1"] = parse_json_text(
        R"([{"action": "add_column", "table": "a", "field": "g", "type": "int64"}])");
    open(c.policy);
    EXPECT_THAT(bring_up({"id", "g"}), ElementsAreArray(c.refused)) << c.policy;
    EXPECT_EQ(systems_.calls().back(), c.applied) << c.policy;
    EXPECT_EQ(run_->outcomes()["a"].schema_changes.size(), 1u);
  }
  open("fail");
  EXPECT_THROW(bring_up({"id", "g"}), NodeError);
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 plan_schema a")) << "nothing is applied";
}

TEST_F(Steps, ASchemaIsBroughtUpOnce) {
  systems_.steps["t1"] = Json::arrayValue;
  open("evolve");
  bring_up({"id"});
  bring_up({"id"}, 1);
  bring_up({"id", "g"});
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 plan_schema a", "t1 apply_schema a",
                                            "t1 plan_schema a", "t1 apply_schema a"));
}

TEST_F(Steps, TheFirstLaneOfThePlanSettlesWhatATableLooksLike) {
  systems_.steps["t1"] = Json::arrayValue;
  open("evolve");
  steps_->expect(lane(0).key, {"a"});
  steps_->expect(lane(1).key, {"a"});
  std::thread second([&] { bring_up({"id", "second"}, 1); });
  steps_->leave(lane(0).key);
  second.join();
  EXPECT_EQ(systems_.calls().size(), 2u);
}

TEST_F(Steps, WhoWaitsForAnotherLaneCanBeCancelled) {
  open("evolve");
  steps_->expect(lane(0).key, {"a"});
  steps_->expect(lane(1).key, {"a"});
  std::optional<Code> code;
  std::thread second([&] {
    try {
      bring_up({"id"}, 1);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  cancel_.cancel();
  steps_->wake();
  second.join();
  EXPECT_EQ(code, Code::kCancelled);
}

}  // namespace
}  // namespace patchbay::host
