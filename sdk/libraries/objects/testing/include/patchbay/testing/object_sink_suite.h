// What every store of objects promises through ObjectSink. A store's test says
//   INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectSinks, FilesBench);
#pragma once

#include "patchbay/testing/object_store_bench.h"

namespace patchbay::test {

template <class Store>
class ObjectSinks : public ObjectStoreBench<Store> {};
TYPED_TEST_SUITE_P(ObjectSinks);

TYPED_TEST_P(ObjectSinks, ObjectsAppearWholeAtCommitAndTwiceIsOnce) {
  const std::string big(3 * kObjectChunk + 1, 'x');
  const auto prepared =
      this->sink("out/{stream}/{part}-{key}")
          .prepare_all(this->schema(), "t1",
                       this->objects({{"a.txt", "hello"}, {"d/b.txt", ""}, {"c", big}}));
  EXPECT_EQ(prepared.rows_accepted, 6);
  EXPECT_THAT(this->store.names(), testing::IsEmpty());
  this->sink("elsewhere/{key}").commit("t1", 1, {prepared.token});  // another process
  this->sink("elsewhere/{key}").commit("t1", 1, {prepared.token});
  EXPECT_THAT(this->store.names(),
              testing::ElementsAre("out/s/1-a.txt", "out/s/2-d/b.txt", "out/s/3-c"));
  EXPECT_EQ(this->store.get("out/s/1-a.txt"), "hello");
  EXPECT_EQ(this->store.get("out/s/3-c"), big);
  EXPECT_EQ(this->store.leftovers(), 0u);
}

TYPED_TEST_P(ObjectSinks, OutcomesAreKnownInAnotherProcess) {
  const auto prepared =
      this->sink("{key}").prepare_all(this->schema(), "t1", this->objects({{"a", "1"}}));
  EXPECT_EQ(this->sink("{key}").outcome("t1", {prepared.token}), Outcome::kPrepared);
  this->sink("{key}").commit("t1", 1, {prepared.token});
  EXPECT_EQ(this->sink("{key}").outcome("t1", {prepared.token}), Outcome::kCommitted);
  this->sink("{key}").abort({"t1"});
  EXPECT_EQ(this->store.get("a"), "1");
}

TYPED_TEST_P(ObjectSinks, AbortRemovesOneTransactionAndItsLateCommitShowsNothing) {
  const auto dropped =
      this->sink("d/{key}").prepare_all(this->schema(), "t1", this->objects({{"a", "1"}}));
  const auto kept =
      this->sink("d/{key}").prepare_all(this->schema(), "t12", this->objects({{"b", "2"}}));
  this->sink("d/{key}").abort({"t1", "never"});
  EXPECT_EQ(this->store.leftovers(), 1u);
  EXPECT_EQ(this->sink("d/{key}").outcome("t1", {dropped.token}), Outcome::kGone);
  EXPECT_THAT(
      failure([&] { this->sink("d/{key}").commit("t1", 1, {dropped.token}); }, Code::kNotFound),
      testing::HasSubstr("gone"));
  this->sink("d/{key}").commit("t12", 2, {kept.token});
  EXPECT_THAT(this->store.names(), testing::ElementsAre("d/b"));
}

TYPED_TEST_P(ObjectSinks, NothingIsShownWhereAPartIsGone) {
  auto sink = this->sink("d/{key}");
  const auto one = sink.prepare_all(this->schema("s"), "t1", this->objects({{"a", "1"}}));
  const auto two =
      this->sink("d/{key}").prepare_all(this->schema("s"), "t2", this->objects({{"b", "2"}}));
  this->sink("d/{key}").abort({"t2"});
  failure([&] { this->sink("d/{key}").commit("t1", 1, {one.token, two.token}); }, Code::kNotFound);
  EXPECT_THAT(this->store.names(), testing::IsEmpty());
}

TYPED_TEST_P(ObjectSinks, WhatIsThereIsReplacedKeptOrAnError) {
  const auto write = [&](const std::string& mode, const std::string& txn) {
    this->sink("{key}", R"({"if_exists": ")" + mode + "\"}")
        .write_all(this->schema(), txn, this->objects({{"a", "new"}}));
  };
  this->store.put("a", "old");
  write("skip", "t1");
  EXPECT_EQ(this->store.get("a"), "old");
  EXPECT_EQ(this->host.metrics["objects_skipped"], 1);
  ASSERT_EQ(this->host.logs.size(), 1u);
  EXPECT_EQ(this->host.logs[0].level, BAY_LOG_WARN);
  EXPECT_THAT(this->host.logs[0].message, testing::HasSubstr(this->store.uri("a")));
  EXPECT_THAT(failure([&] { write("fail", "t2"); }, Code::kRemote),
              testing::HasSubstr(this->store.uri("a") + ": is already there"));
  EXPECT_EQ(this->store.leftovers(), 0u);
  write("replace", "t3");
  EXPECT_EQ(this->store.get("a"), "new");
}

TYPED_TEST_P(ObjectSinks, WhatAppearsBeforeTheCommitIsKeptOrAnError) {
  for (const char* mode : {"fail", "skip"}) {
    auto sink = this->sink("{key}", std::string(R"({"if_exists": ")") + mode + "\"}");
    const auto prepared = sink.prepare_all(this->schema(), mode, this->objects({{mode, "ours"}}));
    this->store.put(mode, "theirs");
    const auto commit = [&] { sink.commit(mode, 1, {prepared.token}); };
    if (mode == std::string("skip")) {
      commit();
      commit();
    } else {
      EXPECT_THAT(failure(commit, Code::kRemote), testing::HasSubstr("if_exists is fail"));
      sink.abort({mode});
    }
    EXPECT_EQ(this->store.get(mode), "theirs");
    EXPECT_EQ(this->store.leftovers(), 0u);
  }
  EXPECT_GE(this->host.metrics["objects_skipped"], 1);
}

TYPED_TEST_P(ObjectSinks, TwoObjectsAreNeverOne) {
  auto sink = this->sink("one");
  EXPECT_THAT(
      failure(
          [&] { sink.write_all(this->schema(), "t1", this->objects({{"a", "1"}, {"b", "2"}})); },
          Code::kConfig),
      testing::HasSubstr("put {key} into path"));
  sink.abort({"t1"});
  sink.write_all(this->schema(), "t2", this->objects({{"a", "1"}}));  // tried again
  EXPECT_THAT(failure([&] { sink.write_all(this->schema(), "t3", this->objects({{"b", "2"}})); },
                      Code::kConfig),
              testing::HasSubstr("put {key} into path"));
}

TYPED_TEST_P(ObjectSinks, ANameThatAnotherLaneHasIsRefused) {
  this->sink("d/{key}").prepare_all(this->schema(), "t1", this->objects({{"a", "1"}}));
  EXPECT_EQ(this->host.claims.count(this->store.uri("d/a")), 1u);
  this->host.lane = "another";
  failure(
      [&] { this->sink("d/{key}").prepare_all(this->schema(), "t2", this->objects({{"a", "2"}})); },
      Code::kConfig);
  EXPECT_EQ(this->host.claims.at(this->store.uri("d/a")), "lane");
}

TYPED_TEST_P(ObjectSinks, NamesFromElsewhereStayBelowThePath) {
  this->sink("out/{key}").write_all(this->schema(), "t1", this->objects({{"/./abs", "1"}}));
  EXPECT_THAT(this->store.names(), testing::ElementsAre("out/abs"));
  for (const char* key : {"../up", "a/../../up", "a\nb", ""}) {
    failure(
        [&] {
          this->sink("out/{key}").write_all(this->schema(), "t2", this->objects({{key, "1"}}));
        },
        Code::kData);
  }
  for (const char* stream : {"../../up", "a/b", "..", "a\x1b[1m"}) {
    EXPECT_THAT(failure(
                    [&] {
                      this->sink("out/{stream}/x")
                          .write_all(this->schema(stream), "t3", this->objects({{"a", "1"}}));
                    },
                    Code::kConfig),
                testing::AllOf(testing::HasSubstr("rename it with `streams:`"),
                               testing::Not(testing::HasSubstr("\x1b"))));
  }
  EXPECT_THAT(this->store.names(), testing::ElementsAre("out/abs"));
  EXPECT_EQ(this->store.leftovers(), 0u);
}

// Ten objects of a stream, and one of another.
template <class Bench>
void fill_folder(Bench& store) {
  for (int i = 0; i < 10; ++i) store.put("out/s/" + std::to_string(i), "old");
  store.put("out/other/x", "theirs");
}

TYPED_TEST_P(ObjectSinks, AMirrorRemovesAtCommitWhatACompleteReadDidNotWrite) {
  fill_folder(this->store);
  const std::string more = R"({"mirror": true, "deletes": {"max": 10}})";
  auto sink = this->sink("out/{stream}/{key}", more);
  this->host.epoch.complete = true;
  const auto prepared =
      sink.prepare_all(this->schema(), "t1", this->objects({{"0", "new"}, {"d/n", "new"}}));
  EXPECT_EQ(this->store.names().size(), 11u);
  this->store.put("out/s/9", "newer");  // somebody else's, meanwhile
  this->sink("elsewhere", "{}").commit("t1", 1, {prepared.token});
  this->sink("elsewhere", "{}").commit("t1", 1, {prepared.token});
  EXPECT_THAT(this->store.names(),
              testing::ElementsAre("out/other/x", "out/s/0", "out/s/9", "out/s/d/n"));
  EXPECT_EQ(this->store.get("out/s/0"), "new");
}

TYPED_TEST_P(ObjectSinks, AMirrorRemovesNoMoreThanItMay) {
  fill_folder(this->store);
  this->host.epoch.complete = true;
  const auto write = [&](int kept, const std::string& more, const std::string& txn) {
    std::vector<std::pair<std::string, std::string>> all;
    for (int i = 0; i < kept; ++i) all.emplace_back(std::to_string(i), "new");
    this->sink("out/{stream}/{key}", more).write_all(this->schema(), txn, this->objects(all));
  };
  EXPECT_THAT(failure([&] { write(7, R"({"mirror": true})", "t1"); }, Code::kData),
              testing::HasSubstr("has 10 objects, and this read would remove 3, which is more "
                                 "than 20%; nothing is committed"));
  this->sink("out/{stream}/{key}").abort({"t1"});
  EXPECT_EQ(this->store.names().size(), 11u);
  write(8, R"({"mirror": true, "deletes": {"max": "20%"}})", "t2");
  EXPECT_EQ(this->store.names().size(), 9u);
  EXPECT_EQ(this->store.leftovers(), 0u);
}

TYPED_TEST_P(ObjectSinks, APartialReadRemovesNothing) {
  fill_folder(this->store);
  this->sink("out/{stream}/{key}", R"({"mirror": true, "deletes": {"max": "100%"}})")
      .write_all(this->schema(), "t1", this->objects({{"0", "new"}}));
  EXPECT_EQ(this->store.names().size(), 11u);
}

TYPED_TEST_P(ObjectSinks, AMirrorNeedsAFolderOfItsStreamAlone) {
  for (const char* path : {"out/{stream}", "{key}", "x-{key}"}) {
    if (this->store.config(path)["path"] != path && path != std::string("out/{stream}")) continue;
    failure([&] { this->sink(path, R"({"mirror": true})"); }, Code::kConfig);
  }
  this->host.epoch.complete = true;
  auto sink = this->sink("out/{key}", R"({"mirror": true})");
  sink.prepare_all(this->schema("a"), "t1", this->objects({{"1", "x"}}));
  EXPECT_THAT(
      failure([&] { sink.prepare_all(this->schema("b"), "t1", this->objects({{"2", "x"}})); },
              Code::kConfig),
      testing::HasSubstr("the streams a and b share"));
}

TYPED_TEST_P(ObjectSinks, RowsNeedAnEncoder) {
  const Schema table{"people", {{"id", scalar(TypeId::kInt64), true}}, {}};
  EXPECT_THAT(failure([&] { this->sink("x").plan_schema(table); }, Code::kConfig),
              testing::HasSubstr("stream people: is a table"));
}

REGISTER_TYPED_TEST_SUITE_P(ObjectSinks, ObjectsAppearWholeAtCommitAndTwiceIsOnce,
                            OutcomesAreKnownInAnotherProcess,
                            AbortRemovesOneTransactionAndItsLateCommitShowsNothing,
                            NothingIsShownWhereAPartIsGone, WhatIsThereIsReplacedKeptOrAnError,
                            WhatAppearsBeforeTheCommitIsKeptOrAnError, TwoObjectsAreNeverOne,
                            ANameThatAnotherLaneHasIsRefused, NamesFromElsewhereStayBelowThePath,
                            AMirrorRemovesAtCommitWhatACompleteReadDidNotWrite,
                            AMirrorRemovesNoMoreThanItMay, APartialReadRemovesNothing,
                            AMirrorNeedsAFolderOfItsStreamAlone, RowsNeedAnEncoder);

}  // namespace patchbay::test
