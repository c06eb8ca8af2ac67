// Which lanes a pipeline has, by its graph and its write modes.
#include "engine/lane_plan.h"

#include <gmock/gmock.h>

#include "engine_fixture.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

class LanePlan : public EngineFixture {
 protected:
  std::vector<Lane> plan() { return LanePlanner(*run_, recovered_).plan(instances_); }

  // "KEY: SPLIT SPLIT", with what holds for the lane.
  static std::string words(const Lane& lane) {
    std::string text = lane.key + ":";
    for (const auto& source : lane.sources)
      for (const auto& split : source.splits) text += " " + split.plan.id;
    if (lane.one_epoch) text += ", one epoch";
    if (lane.replaced) text += ", replaced";
    for (const auto& table : lane.ordered) text += ", by keys into " + table;
    return text;
  }

  std::vector<std::string> words() {
    std::vector<std::string> all;
    for (const auto& lane : plan()) all.push_back(words(lane));
    return all;
  }

  static Split split(const std::string& id, const std::string& stream, bool once = false) {
    Split split;
    split.id = id;
    split.stream = stream;
    split.once = once;
    split.detail = Json::objectValue;
    return split;
  }

  void commit(const std::vector<SplitState>& states) {
    EpochRecord record;
    record.run = "run0";
    record.states = states;
    record.epoch = state_->begin_epoch({"run0", "l", {}});
    state_->record_epoch(record);
    state_->committed(record.epoch);
  }

  RecoveredSplits recovered_;
};

const std::string kSource = "  - {id: s1, use: fake.rows, with: {name: s1, cursor: c}}\n";
const std::string kWhole = "  - {id: s1, use: fake.rows, with: {name: s1}}\n";
const std::string kOther = "  - {id: s2, use: fake.rows, from: [], with: {name: s2}}\n";

TEST_F(LanePlan, GroupsWhatBecomesVisibleTogether) {
  const struct {
    std::string nodes;
    std::vector<std::string> lanes;
  } kCases[] = {
      {kSource + "  - {use: fake.table, from: s1, with: {name: t}}\n",
       {"s1/1: 1", "s1/2: 2", "s1/3: 3"}},
      {kSource + "  - {id: t, use: fake.table, from: s1, with: {name: t, write: upsert}}\n",
       {"s1/1: 1, by keys into t/a", "s1/2: 2, by keys into t/a", "s1/3: 3, by keys into t/b"}},
      {kWhole + "  - {use: fake.table, from: s1, with: {name: t, write: replace}}\n",
       {"s1/*a: 1 2, one epoch, replaced", "s1/*b: 3, one epoch, replaced"}},
      {kWhole + "  - {use: fake.table, from: s1, with: {name: t, write: replace, tables: {a: x, b: "
                "x}}}\n",
       {"*s1: 1 2 3, one epoch, replaced"}},
      {kWhole + kOther + "  - {use: fake.table, from: [s1, s2], with: {name: t}}\n",
       {"s1/1: 1", "s1/2: 2", "s1/3: 3", "s2/4: 4"}},
      {kWhole + kOther + "  - {use: fake.table, from: [s1, s2], with: {name: t, write: replace}}\n",
       {"*s1: 1 2 3 4, one epoch, replaced"}},
      {kWhole + kOther +
           "  - {id: j, use: fake.all, from: [s1, s2]}\n"
           "  - {use: fake.table, from: j, with: {name: t, write: replace}}\n",
       {"*s1: 1 2 3 4, one epoch, replaced"}},
  };
  systems_.splits = {{"s1", {split("1", "a"), split("2", "a"), split("3", "b")}},
                     {"s2", {split("4", "c")}}};
  for (const auto& c : kCases) {
    begin(c.nodes);
    EXPECT_THAT(words(), ElementsAreArray(c.lanes)) << c.nodes;
  }
}

TEST_F(LanePlan, WhatWasReadForGoodIsLeftOut) {
  systems_.splits = {{"s1", {split("1", "a", true), split("2", "a", true)}}};
  begin(kSource + "  - {use: fake.table, from: s1, with: {name: t}}\n");
  commit({{{"s1", "a"}, "1", "", true, true}});
  EXPECT_THAT(words(), ElementsAre("s1/2: 2"));
  run_options_.full_refresh = true;
  run("run2");
  EXPECT_THAT(words(), ElementsAre("s1/1: 1", "s1/2: 2"));
}

TEST_F(LanePlan, WhatRecoveryHasCommittedIsNotReadAgain) {
  const struct {
    bool of_this_run;
    std::string state, write;
    bool read;
  } kCases[] = {{true, "5", "append", false},
                {false, "5", "append", true},   // it goes on from its state
                {false, "", "append", false},   // once more would double it
                {false, "", "replace", true}};  // and here it would not
  systems_.splits = {{"s1", {split("1", "a")}}};
  for (const auto& c : kCases) {
    begin(kWhole + "  - {use: fake.table, from: s1, with: {name: t, write: " + c.write + "}}\n");
    RecoveredSplits recovered;
    recovered.add({{"s1", "a"}, "1", c.state, false, true}, c.of_this_run);
    EXPECT_EQ(LanePlanner(*run_, recovered).plan(instances_).size(), c.read ? 1u : 0u)
        << c.write << " " << c.state;
  }
}

TEST_F(LanePlan, AStreamThatDoesNotExistIsRefused) {
  systems_.splits = {{"s1", {split("1", "a")}}};
  run_options_.only = {"z"};
  begin(kSource + "  - {use: fake.table, from: s1, with: {name: t}}\n");
  EXPECT_THROW(plan(), UsageError);
}

TEST_F(LanePlan, ARetryReadsThePresentVersion) {
  Split old = split("o@1", "a", true), fresh = split("o@2", "a", true);
  old.of = fresh.of = "o";
  systems_.splits = {{"s1", {old}}};
  begin(kSource + "  - {use: fake.table, from: s1, with: {name: t}}\n");
  LanePlanner planner(*run_, recovered_);
  const std::vector<Lane> lanes = planner.plan(instances_);
  systems_.splits = {{"s1", {fresh}}};
  const auto again = planner.again(lanes.at(0), instances_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->sources.at(0).splits.at(0).plan.id, "o@2");
  commit({{{"s1", "a"}, "o@2", "", true, true}});
  EXPECT_FALSE(planner.again(lanes.at(0), instances_)) << "nothing of it is left";
}

// Two objects, a and b, of which the later row of a key counts; a changes while it is read.
TEST_F(LanePlan, AChangedObjectKeepsItsPlaceOnlyWhereTheLaterOneIsKnown) {
  const struct {
    std::vector<std::string> plan;
    bool in_place;
  } kCases[] = {{{"a@2", "b@1"}, true},   // ordered by name
                {{"b@1", "a@2"}, false},  // by time: a is the later one now
                {{"a@2", "b@2"}, false},  // and b@1, which was read, may be older or younger
                {{"b@2", "a@2"}, false}};
  const auto version = [](const std::string& id) {
    Split one = split(id, "s", true);
    one.of = id.substr(0, 1);
    return one;
  };
  for (const auto& c : kCases) {
    systems_.splits = {{"s1", {version("a@1"), version("b@1")}}};
    begin(kSource + "  - {use: fake.table, from: s1, with: {name: t, write: upsert}}\n");
    LanePlanner planner(*run_, recovered_);
    const std::vector<Lane> lanes = planner.plan(instances_);
    ASSERT_EQ(lanes.size(), 2u);
    systems_.splits["s1"].clear();
    for (const auto& id : c.plan) systems_.splits["s1"].push_back(version(id));
    EXPECT_EQ(planner.again(lanes[0], instances_).has_value(), c.in_place) << c.plan[0];
  }
}

}  // namespace
}  // namespace patchbay::host
