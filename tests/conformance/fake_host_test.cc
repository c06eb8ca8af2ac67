// The host of unit tests says what it was told and keeps what it sees.
#include "patchbay/testing/fake_host.h"

#include <gmock/gmock.h>

#include "patchbay/testing/component_driver.h"
#include "sample_components.h"

namespace patchbay {
namespace {

struct OneCall : ::testing::Test {
  test::FakeHost host;
  test::FakeCall fake{host};
  Call call{test::FakeHost::table(), fake.raw()};
};

TEST_F(OneCall, GivesItsSecrets) {
  host.secrets["key"] = "s3cret";
  EXPECT_EQ(call.secret({"key"}), "s3cret");
  EXPECT_THROW(call.secret({"other"}), HostRefusal);
  host.any_secret = "fallback";
  EXPECT_EQ(call.secret({"other"}), "fallback");
}

TEST_F(OneCall, CancelsAndRestores) {
  EXPECT_FALSE(call.cancelled());
  host.cancel();
  EXPECT_TRUE(call.cancelled());
  EXPECT_THROW(call.throw_if_cancelled(), Error);
  host.restore();
  EXPECT_FALSE(call.cancelled());
}

TEST_F(OneCall, BacksOffWithoutWaitingUntilItsAttemptsAreUsed) {
  host.attempts = 2;
  EXPECT_EQ(call.backoff(1), std::chrono::nanoseconds(0));
  EXPECT_EQ(call.backoff(2, std::chrono::seconds(3)), std::nullopt);
  EXPECT_THAT(host.retry_afters, ::testing::ElementsAre(-1, 3'000'000'000));
}

TEST_F(OneCall, AnswersSchemaChangesByPolicy) {
  EXPECT_THROW(call.schema_change("s", "a.b", scalar(TypeId::kInt64)), Error);
  host.on_schema_change = BAY_CHANGE_IGNORE;
  EXPECT_EQ(call.schema_change("s", "a.b", scalar(TypeId::kInt64)).action, ChangeAction::kIgnore);
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  host.agreed_types["a.b"] = "utf8";
  EXPECT_EQ(call.schema_change("s", "a.b", scalar(TypeId::kInt64)).type, scalar(TypeId::kUtf8));
  ASSERT_EQ(host.asked_changes.size(), 3u);
  EXPECT_EQ(host.asked_changes[0].type, "int64");
}

TEST_F(OneCall, KeepsRejectsUpToTheLimit) {
  host.max_rejects = 2;
  const SchemaPtr schema = sample::number_schema();
  call.reject({"numbers", "type", "n: not even", R"({"line":3})"}, sample::numbers(schema, {1, 3}));
  EXPECT_EQ(host.rows_rejected, 2);
  EXPECT_EQ(host.rejects[0].why.position_json, R"({"line":3})");
  EXPECT_EQ(host.rejects[0].rows.rows(), 2);
  EXPECT_THROW(call.reject_record({"numbers", "type", "n: text", ""}, R"({"n":"x"})"), HostRefusal);
  EXPECT_EQ(host.rejects[1].schema->fields[0].name, "record");
}

TEST_F(OneCall, KeepsLogsAndMetricsOfItsContext) {
  Context context(test::FakeHost::table(), host.context());
  host.log_level = BAY_LOG_WARN;
  EXPECT_TRUE(context.log_enabled(BAY_LOG_ERROR));
  EXPECT_FALSE(context.log_enabled(BAY_LOG_INFO));
  context.log(BAY_LOG_WARN, "slow", R"({"ms":9})");
  context.metric_add("bytes", 2);
  context.metric_add("bytes", 3);
  EXPECT_EQ(host.logs.at(0).fields_json, R"({"ms":9})");
  EXPECT_EQ(host.metrics["bytes"], 5);
  EXPECT_EQ(context.extension("patchbay.progress/1"), nullptr);
}

TEST_F(OneCall, HasADeadlineOnlyWhereOneIsSet) {
  EXPECT_EQ(call.deadline(), std::chrono::steady_clock::time_point::max());
  host.deadline = std::chrono::steady_clock::time_point(std::chrono::seconds(5));
  EXPECT_EQ(call.deadline(), *host.deadline);
}

TEST_F(OneCall, AFailureWithoutTextIsABug) {
  try {
    fake.check(BAY_E_REMOTE);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    EXPECT_STREQ(error.what(), "failed with status -6 and no message");
  }
}

// A reader of scripted events, to see what the driver refuses.
struct Script {
  std::vector<std::function<bay_status(bay_event*)>> steps;
  size_t at = 0;
};
bay_status script_next(bay_call*, bay_reader* reader, bay_event* out) {
  auto& script = *reinterpret_cast<Script*>(reader);
  return script.at < script.steps.size() ? script.steps[script.at++](out) : BAY_END;
}
const bay_reader_vt kScriptTable{.struct_size = sizeof(bay_reader_vt),
                                 .flags = 0,
                                 .next = script_next,
                                 .checkpoint = nullptr,
                                 .committed = nullptr,
                                 .close = [](bay_reader*) {},
                                 .refused = nullptr};

bay_status put_stream(bay_event* out, uint32_t index) {
  out->kind = BAY_EVENT_STREAM;
  out->stream = index;
  export_schema(*sample::number_schema(), &out->schema);
  return BAY_OK;
}
bay_status put_batch(bay_event* out, const std::vector<int64_t>& values) {
  out->kind = BAY_EVENT_BATCH;
  sample::numbers(sample::number_schema(), values).take().move_to(&out->array);
  return BAY_OK;
}

TEST_F(OneCall, TheDriverRefusesBreachesOfTheProtocol) {
  host.max_rows = 2;
  const auto begin = [](bay_event* out) { return put_stream(out, 0); };
  const struct {
    Script script;
    std::string message;
  } cases[] = {
      {{{[](bay_event* out) { return put_batch(out, {1}); }}}, "before its STREAM event"},
      {{{[](bay_event* out) { return put_stream(out, 1); }}}, "begins before stream 0"},
      {{{begin, [](bay_event* out) { return put_batch(out, {1, 2, 3}); }}}, "max_rows is 2"},
      {{{begin,
         [](bay_event* out) {
           put_batch(out, {1});
           out->array.length = 5;
           return BAY_OK;
         }}},
       "fewer rows than its parent"},
      {{{[](bay_event* out) { return out->kind = 9, BAY_OK; }}}, "kind 9"},
      {{{[](bay_event*) { return 5; }}}, "status 5"},
  };
  for (auto c : cases) {
    test::ReaderDriver reader(host, kScriptTable, reinterpret_cast<bay_reader*>(&c.script));
    try {
      reader.events();
      ADD_FAILURE() << "accepted: " << c.message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(c.message));
    }
  }
}

}  // namespace
}  // namespace patchbay
