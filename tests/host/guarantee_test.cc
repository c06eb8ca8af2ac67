// What a pipeline promises, by its graph and its options.
#include "pipeline/guarantee.h"

#include <gmock/gmock.h>

#include "engine_fixture.h"

namespace patchbay::host {
namespace {

using testing::HasSubstr;

const std::string kNew = "  - {id: s, use: fake.rows, with: {name: s, cursor: c}}\n";
const std::string kAll = "  - {id: s, use: fake.rows, with: {name: s}}\n";

std::string sink(const std::string& id, const std::string& write,
                 const std::string& plugin = "fake", const std::string& from = "s") {
  return "  - {id: " + id + ", use: " + plugin + ".table, from: " + from + ", with: {name: " + id +
         ", write: " + write + "}}\n";
}

class GuaranteeTest : public EngineFixture {};

TEST_F(GuaranteeTest, IsExactlyOnceUnlessARuleLimitsIt) {
  const struct {
    std::string nodes, limited_by;  // empty: exactly once
  } kCases[] = {
      {kNew + sink("t", "append"), ""},
      {kNew + sink("t", "upsert"), ""},
      {kAll + sink("t", "replace"), ""},
      {kAll + sink("t", "upsert"), ""},
      {kAll + sink("t", "append"), "appends all of s in each run"},
      {kNew + sink("t", "append") + sink("u", "append"), ""},
      {kNew + sink("t", "append", "forgetful") + sink("u", "append"), ""},
      {kNew + sink("t", "append", "forgetful") + sink("u", "upsert", "forgetful"), ""},
      {kNew + sink("t", "append", "forgetful") + sink("u", "append", "forgetful"),
       "t and u: both lose what they prepared"},
      {kNew + sink("t", "append", "either") + sink("u", "append", "either"), ""},
      {kNew + sink("t", "append", "forgetful") + sink("u", "append", "either"), ""},
      {"  - {id: s, use: store, with: {path: x}}\n" + sink("t", "append"), "cannot be read again"},
      {kNew + "  - {id: t, use: store, from: s, with: {path: x, method: stream}}\n",
       "t: writes at least once with method: stream"},
  };
  for (const auto& c : kCases) {
    const GuaranteeResult result = compute_guarantee(parse("nodes:\n" + c.nodes));
    EXPECT_EQ(result.guarantee,
              c.limited_by.empty() ? Guarantee::kExactlyOnce : Guarantee::kAtLeastOnce)
        << c.nodes;
    EXPECT_EQ(result.limited_by.empty(), c.limited_by.empty()) << c.nodes;
    if (!result.limited_by.empty()) {
      EXPECT_THAT(result.limited_by[0], HasSubstr(c.limited_by));
    }
  }
}

TEST_F(GuaranteeTest, APipelineThatCannotBeRightIsRefused) {
  const std::string all = "  - {id: j, use: fake.all, from: s}\n";
  const struct {
    std::string nodes, fault;
  } kCases[] = {
      {kNew + sink("t", "replace"), "replaces its table with the rows of s"},
      {kNew + sink("t", "replace") + sink("u", "append"), "beside it has to be given all of it"},
      {kNew + all + sink("t", "append", "fake", "j"), "joins or aggregates rows of s"},
  };
  for (const auto& c : kCases)
    EXPECT_THAT(faults("nodes:\n" + c.nodes), testing::Contains(HasSubstr(c.fault))) << c.nodes;
}

TEST_F(GuaranteeTest, RowsStandTwiceWhereNothingTakesTheirPlace) {
  const struct {
    const char* write;
    bool replaces, by_keys, doubles;
  } kCases[] = {{"append", false, false, true},
                {"replace", true, false, false},
                {"upsert", false, true, false}};
  for (const auto& c : kCases) {
    const Pipeline pipeline = parse("nodes:\n" + kAll + sink("t", c.write));
    EXPECT_EQ(replaces(pipeline.nodes[1]), c.replaces);
    EXPECT_EQ(goes_by_keys(pipeline.nodes[1]), c.by_keys);
    EXPECT_EQ(would_double(pipeline.nodes[1]), c.doubles);
  }
}

}  // namespace
}  // namespace patchbay::host
