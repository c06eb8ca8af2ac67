// Rows of rejects come back from their text as they were.
#include "report/row_texts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../sdk/tests/every_type.h"
#include "patchbay/error.h"
#include "patchbay/view.h"

namespace patchbay::host {
namespace {

std::vector<std::string> texts_of(const Batch& batch) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < batch.rows(); ++row)
    texts.push_back(row_to_json(*batch.schema(), batch.array(), row));
  return texts;
}

TEST(RowTexts, EveryTypeComesBack) {
  const Batch batch = rows_of_every_type(100);
  const auto texts = texts_of(batch);
  const Batch back = rows_from_texts(batch.schema(), texts);
  EXPECT_EQ(texts_of(back), texts);
  EXPECT_NO_THROW(validate(*back.schema(), back.array()));
}

TEST(RowTexts, ExtremesComeBack) {
  const auto schema = std::make_shared<const Schema>(
      Schema{"s",
             {{"f", scalar(TypeId::kFloat64)}, {"t\"x", scalar(TypeId::kUtf8)}, {"j", json_text()}},
             {}});
  BatchBuilder rows(schema);
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double value : {0.1, -0.0, 5e-324, 1.7976931348623157e308, infinite, -infinite}) {
    rows.column<Float64Builder>(0).append(value);
    rows.column<Utf8Builder>(1).append("a\"}],\\ \n\t\x01 null ä");
    rows.column<Utf8Builder>(2).append("{\"a\": [1.50, \"}]\", {\"b\" : null}]}");
  }
  rows.column<Float64Builder>(0).append(std::nan(""));
  rows.column<Utf8Builder>(1).append("");
  rows.column<Utf8Builder>(2).append("12");
  const Batch batch = rows.finish();
  const Batch back = rows_from_texts(schema, texts_of(batch));
  const Float64View was(batch.schema()->fields[0].type, *batch.array().children[0], 0, 7);
  const Float64View is(back.schema()->fields[0].type, *back.array().children[0], 0, 7);
  for (int64_t row = 0; row < 6; ++row) {
    EXPECT_EQ(was[row], is[row]) << row;
    EXPECT_EQ(std::signbit(was[row]), std::signbit(is[row])) << row;
  }
  EXPECT_TRUE(std::isnan(is[6]));
  EXPECT_EQ(texts_of(back), texts_of(batch));
}

TEST(RowTexts, WhatIsNoRowOfTheSchemaIsRefused) {
  const auto schema =
      std::make_shared<const Schema>(Schema{"s", {{"a", scalar(TypeId::kInt64)}}, {}});
  for (const char* text : {"", "{", "{}", "[]", "{\"a\":1", "{\"a\":\"x\"}", "{\"a\":1,\"b\":2}",
                           "{\"a\":1} ", "{\"a\":\"1}"}) {
    try {
      rows_from_texts(schema, {text});
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("s"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace patchbay::host
