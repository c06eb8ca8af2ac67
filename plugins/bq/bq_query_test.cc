#include "bq_query.h"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

TEST(BqQuery, AReasonShowsNoData) {
  const std::string rest = "; the job's page in the Google Cloud console has the rest";
  const std::pair<const char*, const char*> cases[] = {
      {"division by zero: 5 / 0", "division by zero"},
      {"Bad int64 value: PHI-17", "Bad int64 value"},
      {"Query error: Bad double value: x at [7:3]", "Bad double value"},
      {"Invalid date: 'PHI'", "Invalid date"},
      {"Value 17 is out of range", "Value"},
      {"Scalar subquery produced more than one element at [3:8]",
       "Scalar subquery produced more than one element"},
      {"", "a value does not fit"}};
  for (const auto& [message, shown] : cases) EXPECT_EQ(reason_without_data(message), shown + rest);
}

}  // namespace
}  // namespace patchbay
