#include "patchbay/time.h"

#include <gtest/gtest.h>

#include <climits>

namespace patchbay {
namespace {

struct TimestampCase {
  const char* text;
  int64_t micros;
  bool has_zone;
};

constexpr TimestampCase kTimestamps[] = {
    {"1970-01-01T00:00:00", 0, false},
    {"1970-01-01", 0, false},
    {"1970-01-01 00:00:01Z", 1'000'000, true},
    {"1970-01-01T00:00:00.1", 100'000, false},
    {"1970-01-01T00:00:00.123456", 123'456, false},
    {"1970-01-01T00:00:00.123456789Z", 123'456, true},
    {"1969-12-31T23:59:59.999999Z", -1, true},
    {"1970-01-01T01:30:00+01:30", 0, true},
    {"1970-01-01T00:00:00-0530", 19'800'000'000, true},
    {"1970-01-01T02:00:00+02", 0, true},
    {"1970-01-01T00:00:00-00:00", 0, true},
    {"2024-02-29T12:34:56.789012Z", 1'709'210'096'789'012, true},
    {"2000-02-29T00:00:00", 951'782'400'000'000, false},
    {"0001-01-01T00:00:00", -62'135'596'800'000'000, false},
    {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999, true},
};

TEST(Time, TimestampsAreRead) {
  for (const auto& c : kTimestamps) {
    const auto parsed = parse_timestamp(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->micros, c.micros) << c.text;
    EXPECT_EQ(parsed->has_zone, c.has_zone) << c.text;
  }
}

TEST(Time, OtherTextIsNoTimestamp) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "2024",
                           "2024-02",
                           "2024-02-29T",
                           "2024-02-29T12",
                           "2024-02-29T12:",
                           "2024-02-30T00:00:00",
                           "2023-02-29T00:00:00",
                           "1900-02-29T00:00:00",
                           "2024-04-31T00:00:00",
                           "2024-00-01T00:00:00",
                           "2024-13-01T00:00:00",
                           "2024-01-00T00:00:00",
                           "0000-01-01T00:00:00",
                           "10000-01-01T00:00:00",
                           "-001-01-01T00:00:00",
                           "2024-1-1T00:00:00",
                           "2024-01-01T24:00:00",
                           "2024-01-01T00:60:00",
                           "2024-01-01T00:00:60",
                           "2024-01-01T00:00:00.",
                           "2024-01-01T00:00:00.1234567890",
                           "2024-01-01T00:00:00,5",
                           "2024-01-01T00:00:00.1.2",
                           "2024-01-01T00:00:00+",
                           "2024-01-01T00:00:00+1",
                           "2024-01-01T00:00:00+01:",
                           "2024-01-01T00:00:00+01:60",
                           "2024-01-01T00:00:00+19:00",
                           "2024-01-01T00:00:00ZZ",
                           "2024-01-01T00:00:00Z+01",
                           "2024-01-01T00:00:00 ",
                           "2024-01-01T00:00:00Z ",
                           " 2024-01-01T00:00:00",
                           "2024-01-01  00:00:00",
                           "2024/01/01 00:00:00",
                           "2024-01-01T00:00:00 UTC",
                           "2024-01-01T00:00:0\xb2",
                           "20240101T000000"}) {
    EXPECT_FALSE(parse_timestamp(text)) << '"' << text << '"';
  }
}

TEST(Time, TimestampsAreWritten) {
  EXPECT_EQ(format_timestamp(0, true), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp(0, false), "1970-01-01T00:00:00");
  EXPECT_EQ(format_timestamp(-1, true), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_timestamp(500'000, false), "1970-01-01T00:00:00.500000");
}

TEST(Time, WrittenTimestampsReadBack) {
  for (const auto& c : kTimestamps) {
    const auto parsed = parse_timestamp(format_timestamp(c.micros, c.has_zone));
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->micros, c.micros) << c.text;
  }
}

// A year past the range is written as ISO 8601's expanded form: never as another year.
TEST(Time, YearsOutOfRangeKeepTheirValue) {
  EXPECT_EQ(format_timestamp(253'402'300'800'000'000, true), "+10000-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp(-62'135'596'800'000'001, true), "0000-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_date(-719'529), "-0001-12-31");
  EXPECT_EQ(format_timestamp(INT64_MAX, false), "+294247-01-10T04:00:54.775807");
  EXPECT_EQ(format_timestamp(INT64_MIN, false), "-290308-12-21T19:59:05.224192");
  EXPECT_EQ(format_date(INT32_MAX), "+5881580-07-11");
  EXPECT_EQ(format_date(INT32_MIN), "-5877641-06-23");
}

TEST(Time, EveryDayReadsBack) {
  for (int32_t day = *parse_date("0001-01-01"); day <= *parse_date("9999-12-31"); ++day) {
    ASSERT_EQ(parse_date(format_date(day)), day);
  }
}

TEST(Time, DatesAndTimesAreStrict) {
  EXPECT_EQ(parse_date("1970-01-02"), 1);
  EXPECT_EQ(parse_date("1969-12-31"), -1);
  for (const char* text : {"", "1970-01-02T00:00:00", "1970-1-2", "1970-01-02 ", "2023-02-29"}) {
    EXPECT_FALSE(parse_date(text)) << '"' << text << '"';
  }
  EXPECT_EQ(parse_time("00:00:00"), 0);
  EXPECT_EQ(parse_time("23:59:59.999999"), 86'399'999'999);
  for (const char* text :
       {"", "24:00:00", "1:00:00", "00:00:00Z", "00:00:00 ", "00:00:00.", "12:34.5"}) {
    EXPECT_FALSE(parse_time(text)) << '"' << text << '"';
  }
  EXPECT_EQ(format_time(86'399'999'999), "23:59:59.999999");
  EXPECT_EQ(format_time(1'000'000), "00:00:01");
}

__extension__ typedef unsigned __int128 Uint128;
constexpr char kNines[] = "99999999999999999999999999999999999999";  // 38 of them

TEST(Decimal, TextThatFitsReadsBack) {
  struct Case {
    const char* text;
    int32_t precision, scale;
    const char* written;
  };
  for (const Case& c : std::initializer_list<Case>{{"0", 1, 0, "0"},
                                                   {"-0", 1, 0, "0"},
                                                   {"12.34", 4, 2, "12.34"},
                                                   {"-12.3", 4, 2, "-12.30"},
                                                   {"+5", 3, 2, "5.00"},
                                                   {".5", 3, 2, "0.50"},
                                                   {"5.", 3, 2, "5.00"},
                                                   {"-0.01", 3, 2, "-0.01"},
                                                   {"0.1000", 3, 2, "0.10"},
                                                   {"000001.5", 2, 1, "1.5"},
                                                   {"7.000", 1, 0, "7"},
                                                   {kNines, 38, 0, kNines}}) {
    const auto value = parse_decimal(c.text, c.precision, c.scale);
    ASSERT_TRUE(value) << c.text;
    EXPECT_EQ(format_decimal(*value, c.scale), c.written) << c.text;
  }
}

TEST(Decimal, DigitsThatDoNotFitAreRefused) {
  struct Case {
    std::string text;
    int32_t precision, scale;
  };
  for (const Case& c :
       {Case{"12.345", 10, 2}, Case{"123", 4, 2}, Case{"10", 1, 0}, Case{"1", 2, 2},
        Case{std::string(kNines) + "9", 38, 0}, Case{std::string(kNines) + "0", 38, 0},
        Case{kNines, 38, 1}, Case{kNines, 38, 38}, Case{std::string(100, '9'), 38, 0},
        Case{"", 5, 2}, Case{"-", 5, 2}, Case{".", 5, 2}, Case{"1e3", 5, 2}, Case{"1,5", 5, 2},
        Case{"1.2.3", 5, 2}, Case{" 1", 5, 2}, Case{"1 ", 5, 2}, Case{"--1", 5, 2},
        Case{"NaN", 5, 2}}) {
    EXPECT_FALSE(parse_decimal(c.text, c.precision, c.scale)) << c.text;
  }
}

TEST(Decimal, TheSmallestValueIsWritten) {
  const auto smallest = static_cast<Int128>(static_cast<Uint128>(1) << 127);
  EXPECT_EQ(format_decimal(smallest, 0), "-170141183460469231731687303715884105728");
  EXPECT_EQ(format_decimal(INT64_MAX, 2), "92233720368547758.07");
  EXPECT_EQ(format_decimal(-INT64_MAX, 2), "-92233720368547758.07");
  EXPECT_EQ(format_decimal(INT64_MIN, 2), "-92233720368547758.08");
  EXPECT_EQ(format_decimal(-5, 2), "-0.05");
  EXPECT_EQ(format_decimal(0, 0), "0");
  EXPECT_EQ(format_decimal(7, 30), "0." + std::string(29, '0') + "7");
}

}  // namespace
}  // namespace patchbay
