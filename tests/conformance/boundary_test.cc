// The C entry points over the classes of plugin.h, driven through the tables.
#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"
#include "sample_components.h"

namespace patchbay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Boundary : public ::testing::Test {
 protected:
  Boundary()
      : plugin_(
            *make_plugin(test::FakeHost::table(), "sample", "1.2.3",
                         {component<sample::Count>("count"), component<sample::Double>("double"),
                          component<sample::Keep>("keep")})) {
    sample::misbehave = nullptr;
    sample::store = {};
  }
  ~Boundary() override { sample::misbehave = nullptr; }

  static Json::Value rows(int64_t n) {
    Json::Value config;
    config["rows"] = Json::Int64(n);
    return config;
  }

  test::FakeHost host_;
  const bay_plugin& plugin_;
};

Error failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kInternal, "nothing failed");
}

TEST_F(Boundary, EntryGivesIdVersionAndComponents) {
  EXPECT_EQ(std::string(plugin_.id.data, plugin_.id.size), "sample");
  EXPECT_EQ(std::string(plugin_.version.data, plugin_.version.size), "1.2.3");
  ASSERT_EQ(plugin_.n_components, 3u);
  EXPECT_EQ(plugin_.components[1]->kind, BAY_TRANSFORM);
}

TEST_F(Boundary, EntryRefusesAHostWithASmallerTable) {
  bay_host old = *test::FakeHost::table();
  old.struct_size = offsetof(bay_host, durable_step);
  EXPECT_EQ(make_plugin(&old, "sample", "1.2.3", {}), nullptr);
  EXPECT_EQ(make_plugin(nullptr, "sample", "1.2.3", {}), nullptr);
}

TEST_F(Boundary, EveryExceptionBecomesAStatusWithItsText) {
  const struct {
    std::function<void(Call&)> thrower;
    Code code;
    std::string message;
  } cases[] = {
      {[](Call&) { throw Error(Code::kAuth, "key: refused", R"({"a":1})"); }, Code::kAuth,
       "key: refused"},
      {[](Call&) { throw Error(Code::kUnavailable, "host: away"); }, Code::kUnavailable,
       "host: away"},
      {[](Call&) { throw std::out_of_range("index 7"); }, Code::kInternal, "index 7"},
      {[](Call&) { throw 7; }, Code::kInternal, "an exception that is no std::exception"},
      {[](Call& call) { call.secret({"absent"}); }, Code::kAuth, "secret absent: is not set"},
  };
  test::SourceDriver source(host_, plugin_, "count", rows(1));
  for (const auto& c : cases) {
    sample::misbehave = c.thrower;
    const Error error = failure_of([&] { source.check(); });
    EXPECT_EQ(error.code(), c.code) << c.message;
    EXPECT_EQ(error.what(), c.message);
  }
  sample::misbehave = cases[0].thrower;
  EXPECT_EQ(failure_of([&] { source.check(); }).detail_json(), R"({"a":1})");
}

TEST_F(Boundary, CreateRefusesWhatIsNoConfiguration) {
  const struct {
    std::string json, message;
  } cases[] = {{"{", "configuration: is no JSON"},
               {"[]", "configuration: must be an object"},
               {"{}", "rows: missing"},
               {R"({"rows": "many"})", "rows: must be an integer"}};
  for (const auto& c : cases) {
    const Error error =
        failure_of([&] { test::ComponentDriver(host_, *plugin_.components[0], c.json); });
    EXPECT_EQ(error.code(), Code::kConfig) << c.json;
    EXPECT_EQ(error.what(), c.message);
  }
}

TEST_F(Boundary, SplitsKeepTheirDetailsExactly) {
  test::SourceDriver source(host_, plugin_, "count", rows(3));
  const auto splits = source.plan();
  ASSERT_EQ(splits.size(), 1u);
  EXPECT_EQ(write_json(splits[0]), R"({"from":9223372036854775807,"id":"all","stream":"numbers"})");
  EXPECT_THAT(test::rows_as_json(source.open(splits[0]).batches()),
              ElementsAre(R"({"n":1})", R"({"n":2})", R"({"n":3})"));
  EXPECT_TRUE(source.plan({"others"}).empty());
}

TEST_F(Boundary, AnEmptySelectionMeansAllStreams) {
  test::SourceDriver source(host_, plugin_, "count", rows(1));
  test::FakeCall call(host_);
  const auto& table = *plugin_.components[0]->source;
  EXPECT_EQ(table.plan(call.raw(), source.raw(), {nullptr, 0}, 1), BAY_OK);
  EXPECT_EQ(call.results.size(), 1u);
}

TEST_F(Boundary, AReaderResumesAtItsState) {
  host_.max_rows = 2;
  test::SourceDriver source(host_, plugin_, "count", rows(5));
  const Json::Value split = source.plan()[0];
  test::ReaderDriver reader = source.open(split);
  reader.next();
  reader.next();
  Json::Value state;
  ASSERT_EQ(reader.checkpoint(state), Checkpoint::kState);
  EXPECT_EQ(write_json(state), R"({"last":2})");
  EXPECT_THAT(test::rows_as_json(source.open(split, state).batches()),
              ElementsAre(R"({"n":3})", R"({"n":4})", R"({"n":5})"));
}

TEST_F(Boundary, AMapKeepsStreamsAndBarriersAndDropsEmptyBatches) {
  test::TransformDriver transform(host_, plugin_, "double", Json::objectValue);
  const SchemaPtr schema = sample::number_schema();
  test::FakeInput input;
  input.stream(0, schema);
  input.batch(0, sample::numbers(schema, {1, 2}));
  input.barrier(1);
  input.batch(0, sample::numbers(schema, {}));
  input.batch(0, sample::numbers(schema, {3}));
  input.barrier(2);
  std::string seen;
  for (const Event& event : transform.open({&input}).events()) seen += "EsbB."[event.index()];
  EXPECT_EQ(seen, "sbBbB");
}

TEST_F(Boundary, AMapTakesOneInputOnly) {
  test::TransformDriver transform(host_, plugin_, "double", Json::objectValue);
  test::FakeInput one, two;
  EXPECT_EQ(failure_of([&] { transform.open({&one, &two}); }).code(), Code::kConfig);
}

TEST_F(Boundary, TheInputsFailureKeepsTheHostsText) {
  test::TransformDriver transform(host_, plugin_, "double", Json::objectValue);
  test::FakeInput input;
  input.failure = Error(Code::kRemote, "upstream: gone");
  const Error error = failure_of([&] { transform.open({&input}).next(); });
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_STREQ(error.what(), "upstream: gone");
}

TEST_F(Boundary, BindDescribesOutputsWithoutData) {
  test::TransformDriver transform(host_, plugin_, "double", Json::objectValue);
  const auto bound = transform.bind({*sample::number_schema()});
  ASSERT_EQ(bound.size(), 1u);
  EXPECT_EQ(bound[0], *sample::number_schema());
}

int released = 0;
void count_release(ArrowArray* array) {
  ++released;
  array->release = nullptr;
}

TEST_F(Boundary, AMovedArrayIsReleasedWhenWriteThrows) {
  test::SinkDriver sink(host_, plugin_, "keep", Json::objectValue);
  sample::misbehave = [](Call&) { throw Error(Code::kData, "row: bad"); };
  test::WriterDriver writer = sink.open(*sample::number_schema(), "t1");
  ArrowArray array{};
  array.release = count_release;
  released = 0;
  const Error error =
      failure_of([&] { writer.write(Batch(sample::number_schema(), Array(&array))); });
  EXPECT_STREQ(error.what(), "row: bad");
  EXPECT_EQ(released, 1);
}

TEST_F(Boundary, ASinkCommitsItsTokens) {
  test::SinkDriver sink(host_, plugin_, "keep", Json::objectValue);
  const SchemaPtr schema = sample::number_schema();
  std::vector<Batch> batches;
  batches.push_back(sample::numbers(schema, {1, 2, 3}));
  EXPECT_EQ(sink.write_all(*schema, "t1", std::move(batches)).rows_accepted, 3);
  EXPECT_EQ(sample::store.visible["t1.numbers.6"], 3);
  EXPECT_THAT(host_.steps, ElementsAre("keep.before", "keep.after"));
}

TEST_F(Boundary, ThrowAtStepEndsTheCommitThere) {
  test::SinkDriver sink(host_, plugin_, "keep", Json::objectValue);
  const Prepared prepared = sink.prepare_all(*sample::number_schema(), "t1", {});
  host_.throw_at_step = "keep.before";
  EXPECT_THAT(failure_of([&] { sink.commit("t1", 1, {prepared.token}); }).what(),
              HasSubstr("crash at keep.before"));
  EXPECT_TRUE(sample::store.visible.empty());
}

}  // namespace
}  // namespace patchbay
