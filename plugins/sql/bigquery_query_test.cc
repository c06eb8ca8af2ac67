#include "bigquery_query.h"

#include <gmock/gmock.h>

#include "patchbay/json_value.h"

namespace patchbay {
namespace {

const SqlQuery kQuery{"out", "q.sql", "WITH a AS (SELECT 1)\nSELECT * FROM a, t -- all"};

std::pair<Code, std::string> refusal(const std::string& reason, const std::string& message,
                                     const std::string& known = "") {
  try {
    throw_refusal(kQuery,
                  compose_query({{"t", "SELECT * FROM `p.d.t`"}, {"u", "SELECT\n1"}}, kQuery),
                  {false, reason, message}, known);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

TEST(BigQueryQuery, TheTextStandsUntouchedBelowItsTables) {
  const BigQueryText text =
      compose_query({{"t", "SELECT * FROM `p.d.t`"}, {"u", "SELECT\n1"}}, kQuery);
  EXPECT_EQ(text.sql,
            "WITH `t` AS (SELECT * FROM `p.d.t`),\n`u` AS (SELECT\n1)\nSELECT * FROM (\n" +
                kQuery.sql + "\n)");
  EXPECT_EQ(text.lines_before, 4);
  EXPECT_EQ(compose_query({}, kQuery).sql, "SELECT * FROM (\n" + kQuery.sql + "\n)");
}

TEST(BigQueryQuery, PlacesAreThoseOfTheUsersText) {
  EXPECT_EQ(refusal("invalidQuery", "Unrecognized name: b at [6:8]"),
            std::pair(Code::kConfig, std::string("q.sql: line 2, column 8: Unrecognized name: b")));
  EXPECT_EQ(refusal("invalidQuery", "Bad table at [3:1]"),
            std::pair(Code::kConfig, std::string("q.sql: Bad table")));
  EXPECT_EQ(refusal("invalidQuery", "Too long [6:8] to plan").second,
            "q.sql: Too long [6:8] to plan");
}

TEST(BigQueryQuery, ReasonsDecideWhatTheHostDoes) {
  EXPECT_EQ(refusal("notFound", "Not found: Table p:d.t"),
            std::pair(Code::kNotFound, std::string("q.sql: Not found: Table p:d.t")));
  EXPECT_EQ(refusal("backendError", "again").first, Code::kUnavailable);
}

TEST(BigQueryQuery, ATableThatNothingSendsIsKnownByWhatIsSaidOfIt) {
  const std::string message = "Table \"v\" must be qualified with a dataset (e.g. dataset.table).";
  EXPECT_EQ(unqualified_table(message), "v");
  EXPECT_EQ(unqualified_table("Table name \"v\" missing dataset while no default is set"), "v");
  EXPECT_EQ(unqualified_table("Unrecognized name: v"), "");
  EXPECT_EQ(refusal("invalid", message, "; what comes in is t").second,
            "q.sql: Table \"v\" must be qualified with a dataset (e.g. dataset.table); what comes "
            "in is t");
}

TEST(BigQueryQuery, EveryColumnNeedsAName) {
  check_columns(kQuery, parse_json(R"([{"name": "a"}, {"name": "f1"}])"));
  check_columns({"", "q", "SELECT 1 AS f0_"}, parse_json(R"([{"name": "f0_"}])"));
  try {
    check_columns(kQuery, parse_json(R"([{"name": "a"}, {"name": "f0_"}])"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "q.sql: column 2 has no name; give it one with AS");
  }
}

}  // namespace
}  // namespace patchbay
