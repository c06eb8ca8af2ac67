// Single rows and fields: which are refused, which are left out, and what they are called.
#include <algorithm>

#include "bench.h"

namespace patchbay::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const char* const kFields = "id: int64, name: utf8";

class EachMode : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, EachMode,
                         testing::ValuesIn(modes({"append", "replace", "upsert", "mirror"})));
class EachModeWithKeys : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, EachModeWithKeys, testing::ValuesIn(modes({"upsert", "mirror"})));

TEST_P(EachMode, ARowWithoutAKeyIsRefusedWhereKeysCount) {
  sink(GetParam());
  prepare(stream("s", kFields), {{"|x", "1|a", "|y"}});
  const bool keys = GetParam() == "upsert" || GetParam() == "mirror";
  EXPECT_EQ(prepared_[0].rows_accepted, keys ? 1 : 3);
  EXPECT_THAT(host.rejects, SizeIs(keys ? 2 : 0));
  for (const auto& one : host.rejects) {
    EXPECT_EQ(one.why.code, "constraint");
    EXPECT_EQ(one.why.stream, "s");
    EXPECT_THAT(one.why.reason, HasSubstr("id: is null"));
    EXPECT_EQ(one.count, 1);
  }
  commit();
  EXPECT_EQ(rows(), keys ? Texts{"1|a"} : (Texts{"1|a", "|x", "|y"}));
}

TEST_P(EachMode, AFieldThatThePolicyDeclinedIsLeftOut) {
  write("append", stream("s", kFields), {"1|a"});
  const Schema schema = stream("s", "id: int64, name: utf8, extra: utf8");
  SinkDriver& driver = sink(GetParam());
  Json::Value steps = driver.plan_schema(schema);
  ASSERT_GE(steps.size(), 1u);
  EXPECT_EQ(steps[0]["action"], "add_column");
  EXPECT_EQ(steps[0]["field"], "extra");
  steps[0]["apply"] = false;
  driver.apply_schema(schema, steps);
  auto writer = driver.open(schema, txn());
  for (auto& batch : batches(schema, {{"2|b|x"}})) writer.write(std::move(batch));
  tokens_.push_back(writer.prepare().token);
  commit();
  const Texts expected = GetParam() == "replace" ? Texts{"2|b"} : Texts{"1|a", "2|b"};
  EXPECT_EQ(rows(), expected);
}

TEST_P(EachMode, AnAppendIsToldOfRowsThatAreThere) {
  const Schema schema = stream("s", kFields);
  const auto says = [&] {
    const Json::Value steps = sink(GetParam()).plan_schema(schema);
    return std::any_of(steps.begin(), steps.end(),
                       [](const auto& step) { return step["action"] == "has_rows"; });
  };
  EXPECT_FALSE(says()) << "there is no table";
  SinkDriver& driver = sink("append");
  driver.apply_schema(schema, driver.plan_schema(schema));
  EXPECT_FALSE(says()) << "the table is empty";
  write("append", schema, {"1|a"});
  EXPECT_EQ(says(), GetParam() == "append");
}

TEST_P(EachMode, AFieldWithoutAColumnIsAnErrorUnlessItWasDeclined) {
  write("append", stream("s", kFields), {"1|a"});
  const Schema schema = stream("s", "id: int64, name: utf8, extra: utf8");
  SinkDriver& driver = sink(GetParam());
  EXPECT_THAT(failure([&] { driver.open(schema, txn()); }, Code::kSchema), HasSubstr("extra"));
  driver.abort({txn()});
  EXPECT_THAT(rows(), ElementsAre("1|a"));
}

TEST_P(EachMode, NamesAreComparedAsTheDatabaseComparesThem) {
  if (!has("folds_case")) GTEST_SKIP() << "its names know case";
  write("append", stream("s", kFields), {"1|a"});
  write(GetParam(), stream("s", "ID: int64, Name: utf8"), {"2|b"});
  const Texts expected = GetParam() == "replace" ? Texts{"2|b"} : Texts{"1|a", "2|b"};
  EXPECT_EQ(rows(), expected);
  const Schema twice = stream("s", "id: int64, ID: int64");
  EXPECT_THAT(failure([&] { sink(GetParam()).plan_schema(twice); }, Code::kConfig),
              HasSubstr("differs only by case from id"));
}

TEST_P(EachModeWithKeys, AStreamWithoutThemIsRefused) {
  EXPECT_EQ(
      failure([&] { sink(GetParam()).plan_schema(stream("s", "name: utf8")); }, Code::kConfig),
      "keys: stream s has no field id");
  const auto make = [&] { another(GetParam(), R"({"keys":null})"); };
  EXPECT_EQ(failure(make, Code::kConfig), "keys: missing, needed with write: " + GetParam());
}

TEST_P(EachMode, ATableThatMayNotBeMadeIsNamed) {
  EXPECT_THAT(
      failure([&] { sink(GetParam(), R"({"create":false})").plan_schema(stream("s", kFields)); },
              Code::kNotFound),
      HasSubstr("create is false"));
}

}  // namespace
}  // namespace patchbay::test
