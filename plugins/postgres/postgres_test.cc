// Values between Arrow and PostgreSQL's binary COPY, and how bad rows are found.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "copy_decode.h"
#include "copy_encode.h"
#include "exact.h"
#include "narrow.h"
#include "patchbay/builder.h"
#include "patchbay/view.h"
#include "pg_cursor.h"
#include "pg_numeric.h"
#include "pg_session.h"

namespace patchbay {
namespace {

PgType numeric(int32_t precision, int32_t scale) {
  return {PgKind::kNumeric, 1700, precision, scale, PgKind::kOther, 0};
}

// The field without its length, or why not.
std::string numeric_field(Int128 unscaled, int32_t scale, int32_t to_precision, int32_t to_scale) {
  WireBuffer out;
  const char* why = append_numeric(out, unscaled, scale, to_precision, to_scale);
  return why ? why : std::string(out.view().substr(4));
}

TEST(PgNumeric, ComesBackAsItWent) {
  Int128 largest = 1;
  for (int i = 0; i < 38; ++i) largest *= 10;
  for (const Int128 value : {Int128{0}, Int128{1}, Int128{-1}, Int128{9999}, Int128{10000},
                             Int128{123456789}, Int128{-100000000}, largest - 1, 1 - largest}) {
    for (const int scale : {0, 1, 3, 4, 5, 20, 38}) {
      const std::string field = numeric_field(value, scale, 0, 0);
      EXPECT_EQ(parse_numeric(field, 38, scale), value)
          << static_cast<int64_t>(value) << " " << scale;
    }
  }
}

TEST(PgNumeric, WhatAColumnWouldRoundIsRefused) {
  const std::string after = "has more digits after the point than the column";
  const std::string before = "has more digits before the point than the column";
  EXPECT_EQ(numeric_field(1505, 3, 6, 2), after);
  EXPECT_EQ(numeric_field(10000, 0, 6, 2), before);
  EXPECT_EQ(numeric_field(1500, 0, 3, -3), after);
  EXPECT_EQ(numeric_field(1000000, 0, 3, -3), before);
  EXPECT_EQ(numeric_field(121, 5, 2, 4), after);
  EXPECT_EQ(numeric_field(1, 2, 2, 4), before);
  EXPECT_EQ(parse_numeric(numeric_field(999999, 2, 6, 2), 38, 2), Int128{999999});
  EXPECT_EQ(parse_numeric(numeric_field(999000, 0, 3, -3), 38, 0), Int128{999000});
}

TEST(PgNumeric, DamagedFieldsAreNoNumbers) {
  const std::string good = numeric_field(123456789, 4, 0, 0);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(parse_numeric(std::string_view(good).substr(0, size), 38, 4), std::nullopt) << size;
  std::string nan = good;
  nan[4] = '\xc0';
  EXPECT_EQ(parse_numeric(nan, 38, 4), std::nullopt);
  EXPECT_EQ(parse_numeric(good, 38, 3), std::nullopt);
  EXPECT_EQ(parse_numeric(good, 8, 4), std::nullopt);
}

// One column of one row, encoded and decoded again.
class RoundTrip {
 public:
  RoundTrip(Type type, PgType pg)
      : schema_(std::make_shared<const Schema>(Schema{"s", {{"c", type, true}}, {}})),
        column_{"c", pg},
        batch_(schema_) {}

  ColumnBuilder& in() { return batch_.column(0); }

  // The row as JSON, or why it can't be.
  std::string out() {
    const Batch batch = batch_.finish();
    const CopyEncoder encoder(schema_, {{0, column_}});
    WireBuffer wire;
    wire.append(encoder.header());
    std::string why = RowEncoder(encoder, batch).append(wire, 0);
    if (!why.empty()) return why;
    CopyDecoder decoder(schema_, {column_}, 0, false);
    BatchBuilder back(schema_);
    decoder.attach(back);
    const auto refused = decoder.append(*decoder.row_of(wire.view()), back);
    if (refused) return *refused;
    const Batch again = back.finish();
    return row_to_json(*schema_, again.array(), 0);
  }

 private:
  SchemaPtr schema_;
  PgColumn column_;
  BatchBuilder batch_;
};

TEST(Copy, ScalarsComeBack) {
  RoundTrip date(scalar(TypeId::kDate32), {PgKind::kDate, 1082});
  static_cast<Date32Builder&>(date.in()).append(-719528);
  EXPECT_EQ(date.out(), R"({"c":"0000-01-01"})");
  RoundTrip uuid(scalar(TypeId::kUtf8), {PgKind::kUuid, 2950});
  static_cast<Utf8Builder&>(uuid.in()).append("00112233-4455-6677-8899-AABBCCDDEEFF");
  EXPECT_EQ(uuid.out(), R"({"c":"00112233-4455-6677-8899-aabbccddeeff"})");
  RoundTrip null(scalar(TypeId::kBool), {PgKind::kBool, 16});
  null.in().append_null();
  EXPECT_EQ(null.out(), R"({"c":null})");
  RoundTrip amount(decimal(10, 2), numeric(10, 2));
  static_cast<DecimalBuilder&>(amount.in()).append(-1234);
  EXPECT_EQ(amount.out(), R"({"c":"-12.34"})");
}

TEST(Copy, ListsComeBack) {
  PgType pg{PgKind::kArray, 1007};
  pg.item = PgKind::kInt4;
  pg.item_oid = 23;
  RoundTrip list(list_of(scalar(TypeId::kInt32)), pg);
  auto& in = static_cast<ListBuilder&>(list.in());
  in.append();
  static_cast<Int32Builder&>(in.item()).append(7);
  in.item().append_null();
  EXPECT_EQ(list.out(), R"({"c":[7,null]})");
}

TEST(Copy, ValuesThatDoNotFitNameTheColumn) {
  RoundTrip text(scalar(TypeId::kUtf8), {PgKind::kText, 25});
  static_cast<Utf8Builder&>(text.in()).append(std::string_view("a\0b", 3));
  EXPECT_EQ(text.out(), "c: holds a NUL character, which PostgreSQL can't store");
  RoundTrip narrow_column(scalar(TypeId::kInt64), {PgKind::kInt4, 23});
  static_cast<Int64Builder&>(narrow_column.in()).append(int64_t{1} << 40);
  EXPECT_EQ(narrow_column.out(), "c: is beyond the column's type");
}

TEST(Copy, PiecesThatAreNoBinaryCopyAreTold) {
  const auto schema =
      std::make_shared<const Schema>(Schema{"s", {{"c", scalar(TypeId::kInt32), true}}, {}});
  const std::vector<PgColumn> columns{{"c", {PgKind::kInt4, 23}}};
  const std::string header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (const std::string& piece :
       {std::string(), std::string("hello"), header.substr(0, 18), header + "\1",
        header + std::string("\0\2\0\0\0\4\0\0\0\1", 10),
        header + std::string("\0\1\0\0\0\5\0\0\0\1", 10), header + std::string("\0\1\0\0", 4)}) {
    CopyDecoder decoder(schema, columns, 0, false);
    BatchBuilder batch(schema);
    decoder.attach(batch);
    EXPECT_THROW(decoder.append(decoder.row_of(piece).value(), batch), Error) << piece.size();
  }
}

// What the column would make of the text; "" where it keeps it.
std::string changed(PgType to, std::string_view text) {
  const char* why = why_changed(to, text);
  return why ? why : "";
}

TEST(Exact, NumbersKeepTheirDigitsOrAreRefused) {
  const PgType real{PgKind::kFloat4, 700}, precise{PgKind::kFloat8, 701};
  for (const char* text : {"0.1", "123456", "1e30", "-0", "NaN", "Infinity", " 7 "})
    EXPECT_EQ(changed(real, text), "") << text;
  for (const char* text : {"16777217", "0.1234567890123", "123456.789"})
    EXPECT_EQ(changed(real, text), kMoreDigits) << text;
  for (const char* text : {"0.30000000000000004", "9007199254740992", "1e308", "1e999", "x"})
    EXPECT_EQ(changed(precise, text), "") << text;
  EXPECT_EQ(changed(precise, "9007199254740993"), kMoreDigits);
  EXPECT_EQ(changed(numeric(10, 2), "1.230e0"), "");
  EXPECT_EQ(changed(numeric(10, 2), "1.239"), "has more digits after the point than the column");
  EXPECT_EQ(changed(numeric(0, 0), "1.239"), "");
}

TEST(Exact, TimesKeepTheirFractionsOrAreRefused) {
  PgType seconds{PgKind::kTimestamp, 1114}, whole{PgKind::kTimestamp, 1114};
  seconds.fraction = 0;
  EXPECT_EQ(changed(seconds, "2026-12-31 23:59:59.7"), kFractionOfSecond);
  EXPECT_EQ(changed(seconds, "2026-12-31T23:59:59.000+02:00"), "");
  EXPECT_EQ(changed(whole, "2026-12-31 23:59:59.123456"), "");
  EXPECT_EQ(changed(whole, "2026-12-31 23:59:59.1234567"), kFractionOfSecond);
  const PgType date{PgKind::kDate, 1082};
  EXPECT_EQ(changed(date, "2026-01-02T00:00:00+02:00"), "");
  EXPECT_EQ(changed(date, "2026-01-02 00:00:01"), kTimeOfDay);
  EXPECT_EQ(changed(date, "2026-01-02"), "");
}

TEST(Narrow, FindsEveryBadRowWhateverIsSaidOfIt) {
  for (const bool told : {false, true}) {
    for (const std::vector<size_t>& bad :
         {std::vector<size_t>{}, {0}, {999}, {0, 1, 2}, {500}, {17, 400, 401, 999}}) {
      std::vector<size_t> refused;
      std::vector<int> taken(1000);
      int attempts = 0;
      narrow(
          1000,
          [&](size_t from, size_t to) -> std::optional<size_t> {
            ++attempts;
            for (const size_t row : bad) {
              if (row >= from && row < to) return told ? row : to;
            }
            for (size_t row = from; row < to; ++row) ++taken[row];
            return std::nullopt;
          },
          [&](size_t row) { refused.push_back(row); });
      EXPECT_EQ(refused, bad);
      EXPECT_EQ(static_cast<size_t>(std::count(taken.begin(), taken.end(), 1)), 1000 - bad.size());
      EXPECT_LT(attempts, 2 + static_cast<int>(bad.size()) * 24);
    }
  }
}

TEST(Relation, NamesMayBeQuoted) {
  const auto sql = [](const char* name) { return relation_of("public", name).sql(); };
  EXPECT_EQ(sql("orders"), R"("public"."orders")");
  EXPECT_EQ(sql("sales.orders"), R"("sales"."orders")");
  EXPECT_EQ(sql(R"("2024.q1")"), R"("public"."2024.q1")");
  EXPECT_EQ(sql(R"(sales."a""b")"), R"("sales"."a""b")");
  EXPECT_EQ(sql(R"("o.d".x)"), R"("o.d"."x")");
}

TEST(Relation, IsSpelledSoThatItIsReadBack) {
  for (const char* name : {"orders", "sales.orders", R"("2024.q1")", R"(sales."a""b")"})
    EXPECT_EQ(relation_of("public", name).spelled("public"), name);
  EXPECT_EQ(relation_of("public", "public.orders").spelled("public"), "orders");
  EXPECT_THROW(relation_of("public", std::string(64, 'x')), Error);
}

TEST(CursorRead, RestsOnlyBetweenDifferentValues) {
  Json::Value state;
  state["cursor"] = "5";
  CursorRead cursor("id", state);
  EXPECT_EQ(cursor.conditions("t"), R"(("id" OPERATOR(pg_catalog.>) E'5' OR "id" IS NULL))");
  EXPECT_FALSE(cursor.changed());
  const auto may_rest = [&](const char* next) {
    return cursor.may_rest(cursor.is_same(std::nullopt, next), false);
  };
  EXPECT_TRUE(may_rest("5"));
  EXPECT_TRUE(cursor.take("6", false, false, 0));
  EXPECT_FALSE(may_rest("6"));
  EXPECT_TRUE(may_rest("7"));
  EXPECT_EQ(cursor.state()["cursor"], "6");
  EXPECT_TRUE(cursor.take("3", true, false, 0));
  EXPECT_EQ(cursor.state()["cursor"], "6");
  EXPECT_TRUE(cursor.refusal(std::nullopt).has_value());
  EXPECT_TRUE(cursor.refusal("infinity").has_value());
  EXPECT_FALSE(cursor.refusal("7").has_value());
}

}  // namespace
}  // namespace patchbay
