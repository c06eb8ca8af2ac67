#include <random>

#include "csv_fixture.h"

namespace patchbay::test {
namespace {

// Texts of every kind of trouble.
Batch random_batch(std::mt19937& random, size_t columns) {
  Schema schema{"s", {}, {}};
  for (size_t i = 0; i < columns; ++i)
    schema.fields.push_back({"c" + std::to_string(i), scalar(TypeId::kUtf8), true});
  BatchBuilder batch(std::make_shared<const Schema>(schema));
  const char* parts[] = {"a", ",", "\"", "\n", "\r", "\\", ";", "\xc3\xa9", "NA", " ", "\t", "N"};
  for (int row = 0; row < 200; ++row) {
    for (size_t i = 0; i < columns; ++i) {
      auto& column = batch.column<Utf8Builder>(i);
      if (random() % 5 == 0) {
        column.append_null();
        continue;
      }
      std::string text;
      for (size_t n = random() % 6; n > 0; --n) text += parts[random() % std::size(parts)];
      column.append(text);
    }
  }
  return batch.finish();
}

TEST_F(Csv, WhatWasWrittenReadsBackTheSame) {
  std::mt19937 random(42);
  const std::pair<const char*, const char*> dialects[] = {
      {"{}", R"({"guess": false})"},
      {R"({"newline": "crlf", "null": "NA"})", R"({"guess": false, "null": "NA"})"},
      {R"({"delimiter": ";", "escape": "\\"})",
       R"({"guess": false, "delimiter": ";", "escape": "\\"})"},
      {R"({"delimiter": "\\t", "quote": "", "escape": "\\", "null": "\\N"})",
       R"({"guess": false, "delimiter": "\\t", "quote": "", "escape": "\\", "null": "\\N"})"},
  };
  for (int round = 0; round < 12; ++round) {
    for (const auto& [encoding, decoding] : dialects) {
      std::vector<Batch> batches;
      batches.push_back(random_batch(random, 1 + static_cast<size_t>(round) % 3));
      const Rows before = rows_as_json(batches);
      const std::string text = encode(std::move(batches), encoding);
      EXPECT_EQ(rows(text, decoding), before) << encoding;
      EXPECT_EQ(rows(text, decoding, 7), before) << encoding;
    }
  }
}

TEST_F(Csv, WritesValuesOfEveryKind) {
  Schema schema{"s",
                {{"i", scalar(TypeId::kInt64), true},
                 {"d", decimal(10, 2), true},
                 {"f", scalar(TypeId::kFloat64), true},
                 {"b", scalar(TypeId::kBool), true},
                 {"t", timestamp("UTC"), true},
                 {"l", list_of(scalar(TypeId::kInt64)), true}},
                {}};
  BatchBuilder batch(std::make_shared<const Schema>(schema));
  batch.column<Int64Builder>(0).append(-1);
  batch.column<DecimalBuilder>(1).append(-5);
  batch.column<Float64Builder>(2).append(0.1);
  batch.column<BoolBuilder>(3).append(true);
  batch.column<TimestampBuilder>(4).append(0);
  auto& list = batch.column<ListBuilder>(5);
  list.append();
  list.item<Int64Builder>().append(1);
  list.item<Int64Builder>().append(2);
  for (size_t i = 0; i < 6; ++i) batch.column(i).append_null();
  std::vector<Batch> batches;
  batches.push_back(batch.finish());
  EXPECT_EQ(encode(std::move(batches)),
            "i,d,f,b,t,l\n-1,-0.05,0.1,true,1970-01-01T00:00:00Z,\"[1,2]\"\n,,,,,\n");
}

TEST_F(Csv, TextThatNothingCanTellApartFails) {
  std::mt19937 random(1);
  std::vector<Batch> batches;
  batches.push_back(random_batch(random, 2));
  EXPECT_THROW(encode(std::move(batches), R"({"quote": ""})"), Error);
}

}  // namespace
}  // namespace patchbay::test
