// What every store of objects promises through ObjectSource. A store's test says
//   INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectSources, FilesBench);
#pragma once

#include "patchbay/testing/object_store_bench.h"

namespace patchbay::test {

template <class Store>
class ObjectSources : public ObjectStoreBench<Store> {};
TYPED_TEST_SUITE_P(ObjectSources);

TYPED_TEST_P(ObjectSources, AnObjectArrivesWhole) {
  const std::string big(3 * kObjectChunk + 7, 'x');
  for (const std::string& text : {std::string("hello"), std::string(), big}) {
    this->store.put("a", text);
    const auto batches = this->source("a").read_all();
    EXPECT_EQ(this->text_of(batches), text);
    const ObjectView view(batches.back());
    EXPECT_TRUE(view[view.rows() - 1].last);
    EXPECT_EQ(view[0].size, static_cast<int64_t>(text.size()));
  }
}

TYPED_TEST_P(ObjectSources, AnEpochRestsAtTheEndOfAnObjectOnly) {
  this->store.put("a", std::string(kObjectChunk + 5, 'x'));
  SourceDriver source = this->source("a");
  ReaderDriver reader = source.open(source.plan().at(0));
  Json::Value state;
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
  reader.next();
  reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
  reader.batches();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kUnchanged);
}

TYPED_TEST_P(ObjectSources, APatternNamesObjects) {
  for (const char* name : {"in/b.csv", "in/a.csv", "in/c.txt", "in/d/e.csv", "in/.h.csv"})
    this->store.put(name, name);
  using testing::ElementsAre;
  EXPECT_THAT(this->keys(this->source("in/*.csv").plan()), ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(this->keys(this->source("in/**/*.csv").plan()),
              ElementsAre("a.csv", "b.csv", "e.csv"));
  EXPECT_THAT(this->keys(this->source("in/{c.txt,d/e.csv}").plan()), ElementsAre("c.txt", "e.csv"));
  EXPECT_THAT(this->source("in/*", R"({"stream": "t"})").plan({"other"}), testing::IsEmpty());
}

TYPED_TEST_P(ObjectSources, AnExistingNameIsThatObjectWhateverItsCharacters) {
  this->store.put("br{a}.csv", "1");
  this->store.put("star*.csv", "2");
  this->store.put("starx.csv", "3");
  EXPECT_EQ(this->read("br{a}.csv"), "1");
  EXPECT_EQ(this->read("star*.csv"), "2");
}

TYPED_TEST_P(ObjectSources, NothingToReadIsAnErrorUnlessOnlyWhatIsNewIsRead) {
  EXPECT_THAT(failure([&] { this->source("a.csv").plan(); }, Code::kNotFound),
              testing::HasSubstr(this->store.uri("a.csv") + " is not there"));
  EXPECT_THAT(failure([&] { this->source("in/*.csv").plan(); }, Code::kNotFound),
              testing::HasSubstr("in/*.csv: no "));
  EXPECT_THAT(failure([&] { this->source("in/*.csv").check(); }, Code::kNotFound),
              testing::HasSubstr("in/*.csv: no "));
  for (const char* select : {R"({"select": "new"})", R"({"select": "newest"})"})
    EXPECT_FALSE(this->source("in/*.csv", select).plan_all().at(0).isMember("id"));
}

TYPED_TEST_P(ObjectSources, ASplitIsOneVersion) {
  this->store.put("a.csv", "1");
  const Json::Value all = this->source("*.csv").plan().at(0);
  EXPECT_TRUE(all["complete"].asBool());
  EXPECT_EQ(all["id"], all["of"]);
  const Json::Value once = this->source("*.csv", R"({"select": "new"})").plan().at(0);
  EXPECT_TRUE(once["once"].asBool());
  EXPECT_FALSE(once["complete"].asBool());
  EXPECT_EQ(once["of"], all["of"]);
  EXPECT_THAT(once["id"].asString(), testing::StartsWith(all["of"].asString() + "#"));
  this->store.put("a.csv", "2");
  EXPECT_NE(this->source("*.csv", R"({"select": "new"})").plan().at(0)["id"], once["id"]);
}

TYPED_TEST_P(ObjectSources, AVersionThatIsReplacedBeforeItIsReadIsNotRead) {
  this->store.put("a", "1");
  SourceDriver source = this->source("a");
  const Json::Value split = source.plan().at(0);
  this->store.put("a", "22");
  EXPECT_THAT(failure([&] { source.open(split).events(); }, Code::kUnavailable),
              testing::HasSubstr(this->store.uri("a")));
}

TYPED_TEST_P(ObjectSources, AVersionThatIsReplacedWhileItIsReadIsNotWhole) {
  this->store.put("a", std::string(3 * kObjectChunk, 'x'));
  SourceDriver source = this->source("a");
  ReaderDriver reader = source.open(source.plan().at(0));
  reader.next();
  reader.next();
  this->store.put("a", std::string(3 * kObjectChunk, 'y'));
  EXPECT_THAT(failure([&] { reader.events(); }, Code::kUnavailable),
              testing::HasSubstr(this->store.uri("a")));
}

TYPED_TEST_P(ObjectSources, WhatWasReadForGoodIsNotPlannedAgain) {
  this->store.put("in/a", "1");
  this->store.put("in/b", "2");
  const std::string select = R"({"select": "new"})";
  const auto splits = this->source("in/*", select).plan();
  this->host.done = {splits[0]["id"].asString()};
  EXPECT_THAT(this->keys(this->source("in/*", select).plan()), testing::ElementsAre("b"));
  EXPECT_THAT(this->keys(this->source("in/*").plan()), testing::ElementsAre("a", "b"));
  this->host.done.insert(splits[1]["id"].asString());
  const auto rest = this->source("in/*", select).plan_all();
  ASSERT_EQ(rest.size(), 1u);  // the stream, for the report
  EXPECT_EQ(rest[0]["stream"], "in");
  EXPECT_FALSE(rest[0].isMember("id"));
}

TYPED_TEST_P(ObjectSources, TheNewestIsReadOnce) {
  this->store.put("in/a", "1");
  this->store.put("in/b", "2");
  const std::string select = R"({"select": "newest"})";
  const auto splits = this->source("in/*", select).plan();
  EXPECT_THAT(this->keys(splits), testing::ElementsAre("b"));
  this->host.done = {splits[0]["id"].asString()};
  EXPECT_FALSE(this->source("in/*", select).plan_all().at(0).isMember("id"));
}

TYPED_TEST_P(ObjectSources, CheckReachesWhatIsRead) {
  this->store.put("a", "1");
  EXPECT_NO_THROW(this->source("a").check());
  EXPECT_NO_THROW(this->source("*").check());
}

REGISTER_TYPED_TEST_SUITE_P(ObjectSources, AnObjectArrivesWhole, AnEpochRestsAtTheEndOfAnObjectOnly,
                            APatternNamesObjects, AnExistingNameIsThatObjectWhateverItsCharacters,
                            NothingToReadIsAnErrorUnlessOnlyWhatIsNewIsRead, ASplitIsOneVersion,
                            AVersionThatIsReplacedBeforeItIsReadIsNotRead,
                            AVersionThatIsReplacedWhileItIsReadIsNotWhole,
                            WhatWasReadForGoodIsNotPlannedAgain, TheNewestIsReadOnce,
                            CheckReachesWhatIsRead);

}  // namespace patchbay::test
