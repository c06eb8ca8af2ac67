// What every store of objects promises of on_commit and on_refusal. A store's test says
//   INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectActions, FilesBench);
#pragma once

#include "patchbay/json_value.h"
#include "patchbay/testing/object_store_bench.h"

namespace patchbay::test {

template <class Store>
class ObjectActions : public ObjectStoreBench<Store> {
 protected:
  // `action` as JSON, its places as names of the store.
  SourceDriver acting(const std::string& path, const std::string& option, const std::string& verb,
                      const std::string& place, const std::string& select = "all") {
    Json::Value more;
    more["select"] = select;
    if (verb == "delete") {
      more[option][verb] = true;
    } else {
      more[option][verb] = this->store.config(place)["path"];
    }
    return this->source(path, write_json(more));
  }
  // Reads the only split, and tells the reader that its rows are committed.
  static void read_and_commit(SourceDriver& source) {
    ReaderDriver reader = source.open(source.plan().at(0));
    reader.events();
    reader.committed(1);
    reader.committed(2);
  }
};
TYPED_TEST_SUITE_P(ObjectActions);

using testing::ElementsAre;

TYPED_TEST_P(ObjectActions, WhatIsCommittedIsMovedCopiedOrDeleted) {
  this->store.put("in/a.csv", "1");
  auto copying = this->acting("in/*.csv", "on_commit", "copy_to", "{stream}-kept/{key}");
  this->read_and_commit(copying);
  EXPECT_EQ(this->store.names().size(), 2u);
  auto moving = this->acting("in/*.csv", "on_commit", "move_to", "done/{name}");
  this->read_and_commit(moving);
  EXPECT_EQ(this->store.get("done/a.csv"), "1");
  EXPECT_THAT(this->store.names(), testing::Not(testing::Contains("in/a.csv")));
  auto deleting = this->acting("done/*", "on_commit", "delete", "");
  this->read_and_commit(deleting);
  EXPECT_THAT(this->store.names(), testing::Not(testing::Contains("done/a.csv")));
}

TYPED_TEST_P(ObjectActions, WhatIsNotCommittedStays) {
  this->store.put("in/a", "1");
  auto source = this->acting("in/*", "on_commit", "move_to", "done/{name}");
  {
    ReaderDriver reader = source.open(source.plan().at(0));
    reader.next();
    reader.committed(1);  // of an epoch that ended before the object
    reader.events();
  }
  EXPECT_THAT(this->store.names(), ElementsAre("in/a"));
}

TYPED_TEST_P(ObjectActions, ANewerVersionIsLeftAlone) {
  for (const char* verb : {"move_to", "copy_to", "delete"}) {
    this->store.put("in/a", "1");
    auto source = this->acting("in/*", "on_commit", verb, "done/{name}");
    ReaderDriver reader = source.open(source.plan().at(0));
    reader.events();
    this->store.put("in/a", "newer");
    reader.committed(1);
    EXPECT_THAT(this->store.names(), ElementsAre("in/a")) << verb;
  }
}

TYPED_TEST_P(ObjectActions, WhatIsGoneByThenIsNoError) {
  this->store.put("in/a", "1");
  auto first = this->acting("in/*", "on_commit", "move_to", "done/{name}");
  ReaderDriver reader = first.open(first.plan().at(0));
  reader.events();
  auto second = this->acting("in/*", "on_commit", "delete", "");
  this->read_and_commit(second);
  reader.committed(1);
  EXPECT_THAT(this->store.names(), testing::IsEmpty());
}

TYPED_TEST_P(ObjectActions, ALaterPlanDoesWhatACrashKeptFromACommittedObject) {
  for (const char* verb : {"copy_to", "move_to"}) {
    this->store.put("in/a", "1");
    this->store.put("in/b", "2");
    auto source = this->acting("in/*", "on_commit", verb, "done/{name}", "new");
    this->host.done = {source.plan().at(0)["id"].asString()};
    EXPECT_THAT(this->keys(source.plan()), ElementsAre("b")) << verb;
    EXPECT_EQ(this->store.get("done/a"), "1") << verb;
    EXPECT_EQ(this->store.names().size(), verb == std::string("copy_to") ? 3u : 2u);
    EXPECT_THAT(this->store.names(), testing::Not(testing::Contains("done/b")));
    source.plan();
    EXPECT_THAT(this->host.logs, testing::IsEmpty());
  }
}

TYPED_TEST_P(ObjectActions, WhatFailsForGoodIsSetAside) {
  this->store.put("in/a", "nonsense");
  auto source = this->acting("in/*", "on_refusal", "move_to", "bad/{name}");
  {
    ReaderDriver reader = source.open(source.plan().at(0));
    reader.next();
    reader.committed(1);
    reader.refused(Code::kData);
  }
  EXPECT_THAT(this->store.names(), ElementsAre("bad/a"));
}

TYPED_TEST_P(ObjectActions, NothingIsMovedToWhereItIsReadAgain) {
  this->store.put("in/a", "1");
  auto source = this->acting("in/**", "on_commit", "move_to", "in/done/{name}");
  EXPECT_THAT(failure([&] { source.plan(); }, Code::kConfig),
              testing::HasSubstr("on_commit.move_to: becomes"));
}

REGISTER_TYPED_TEST_SUITE_P(ObjectActions, WhatIsCommittedIsMovedCopiedOrDeleted,
                            WhatIsNotCommittedStays, ANewerVersionIsLeftAlone,
                            WhatIsGoneByThenIsNoError,
                            ALaterPlanDoesWhatACrashKeptFromACommittedObject,
                            WhatFailsForGoodIsSetAside, NothingIsMovedToWhereItIsReadAgain);

}  // namespace patchbay::test
