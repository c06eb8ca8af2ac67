#include "arrow_types.h"

#include <arrow/type.h>
#include <gmock/gmock.h>

#include "patchbay/error.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

TEST(ArrowTypes, EveryTypeOfAStreamIsItsOwnCounterpart) {
  for (const char* name : {"bool",
                           "int8",
                           "int16",
                           "int32",
                           "int64",
                           "uint8",
                           "uint16",
                           "uint32",
                           "uint64",
                           "float32",
                           "float64",
                           "decimal128(38, 10)",
                           "utf8",
                           "binary",
                           "date32",
                           "time64[us]",
                           "timestamp[us, UTC]",
                           "timestamp[us, Europe/Berlin]",
                           "timestamp[us]",
                           "list<int8>",
                           "list<list<utf8>>",
                           "struct<a: int8, b: struct<c: list<date32>>>"}) {
    const Type type = parse_type(name);
    EXPECT_EQ(model_field(*arrow::field("f", arrow_type(type)), "file"), (Field{"f", type, true}))
        << name;
  }
}

TEST(ArrowTypes, WhatHasNoCounterpartIsRefusedByItsPath) {
  const auto refusal = [](const std::shared_ptr<arrow::DataType>& type) -> std::string {
    try {
      model_field(*arrow::field("a", arrow::struct_({arrow::field("b", type)})), "x.parquet");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(arrow::duration(arrow::TimeUnit::SECOND)),
              HasSubstr("x.parquet: column a.b: type duration[s] has no counterpart"));
  EXPECT_THAT(refusal(arrow::month_interval()), HasSubstr("column a.b"));
  EXPECT_THAT(refusal(arrow::decimal256(60, 40)), HasSubstr("decimal256(60, 40)"));
  auto deep = arrow::int8();
  for (int i = 0; i < 70; ++i) deep = arrow::list(deep);
  EXPECT_THAT(refusal(deep), HasSubstr("nested deeper than 64"));
}

TEST(ArrowTypes, WidensOnlyWhereEachValueStays) {
  const auto fits = [](const char* from, const char* to) {
    return widens(parse_type(from), parse_type(to));
  };
  for (const auto& [from, to] :
       std::vector<std::pair<const char*, const char*>>{{"int8", "int64"},
                                                        {"uint8", "int16"},
                                                        {"uint32", "int64"},
                                                        {"uint32", "uint64"},
                                                        {"int32", "float64"},
                                                        {"float32", "float64"},
                                                        {"decimal128(5, 2)", "decimal128(7, 3)"},
                                                        {"list<utf8>", "list<utf8>"}}) {
    EXPECT_TRUE(fits(from, to)) << from << " to " << to;
    if (std::string(from) != to) {
      EXPECT_FALSE(fits(to, from)) << to << " to " << from;
    }
  }
  for (const auto& [from, to] :
       std::vector<std::pair<const char*, const char*>>{{"int8", "uint64"},
                                                        {"uint64", "int64"},
                                                        {"uint32", "int32"},
                                                        {"int64", "float64"},
                                                        {"int8", "utf8"},
                                                        {"decimal128(5, 2)", "decimal128(5, 3)"},
                                                        {"timestamp[us, UTC]", "timestamp[us]"},
                                                        {"list<int8>", "list<int64>"}}) {
    EXPECT_FALSE(fits(from, to)) << from << " to " << to;
  }
}

}  // namespace
}  // namespace patchbay
