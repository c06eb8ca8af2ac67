// Files that are cut or changed at any place, and rows that break their own schema.
#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "patchbay/json_value.h"
#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using test::FakeHost;
using test::TransformDriver;
using testing::HasSubstr;

constexpr const char* kEncode =
    R"({"key": "{stream}.parquet", "part_rows": 0, "part_bytes": 0, "compression": "zstd", "level": 0,
        "row_group_rows": 40, "row_group_bytes": 1000000})";
constexpr const char* kDecode =
    R"({"nanoseconds": "refuse", "spool_memory": 512, "spool_folder": "/var/tmp"})";

class ParquetDamage : public testing::Test {
 protected:
  SchemaPtr schema() const {
    return std::make_shared<const Schema>(Schema{"t",
                                                 {{"id", scalar(TypeId::kInt64), false},
                                                  {"name", scalar(TypeId::kUtf8), true},
                                                  {"tags", list_of(scalar(TypeId::kUtf8)), true}},
                                                 {"id"}});
  }

  Batch rows(int64_t count) const {
    BatchBuilder batch(schema());
    for (int64_t i = 0; i < count; ++i) {
      batch.column<Int64Builder>(0).append(i * 1'000'003);
      batch.column<Utf8Builder>(1).append("name " + std::to_string(i % 7));
      auto& tags = batch.column<ListBuilder>(2);
      tags.append();
      for (int64_t tag = 0; tag < i % 3; ++tag) tags.item<Utf8Builder>().append("tag");
    }
    return batch.finish();
  }

  std::string encode(Batch batch, const char* compression = "zstd") {
    Json::Value config = parse_json(kEncode);
    config["compression"] = compression;
    TransformDriver encoder(host_, *plugin_, "encode", config);
    std::vector<Batch> in;
    in.push_back(std::move(batch));
    std::string bytes;
    for (const auto& chunk : encoder.run(schema(), std::move(in)))
      bytes += ObjectView(chunk)[0].data;
    return bytes;
  }

  std::vector<Batch> decode(const std::string& bytes) {
    const auto objects = std::make_shared<const Schema>(object_schema("t"));
    ObjectBuilder file(objects);
    file.append({"t.parquet", {}, {}, {}, 0, bytes, true});
    TransformDriver decoder(host_, *plugin_, "decode", parse_json(kDecode));
    std::vector<Batch> in;
    in.push_back(file.finish());
    return decoder.run(objects, std::move(in));
  }

  // The driver throws kInternal for a breach of the protocol.
  void expect_rows_or_refusal(const std::string& bytes, const std::string& note) {
    try {
      test::rows_as_json(decode(bytes));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData) << note << error.what();
      EXPECT_THAT(error.what(), HasSubstr("t.parquet")) << note;
    }
  }

  FakeHost host_;
  const bay_plugin* plugin_ = patchbay_plugin_v1(FakeHost::table());
};

TEST_F(ParquetDamage, AWholeFileGivesItsRowsAndKeys) {
  const auto batches = decode(encode(rows(100)));
  EXPECT_EQ(test::rows_as_json(batches), test::rows_as_json([&] {
              std::vector<Batch> all;
              all.push_back(rows(100));
              return all;
            }()));
  EXPECT_EQ(*batches.at(0).schema(), *schema());
}

TEST_F(ParquetDamage, ACutFileIsRefusedWhereverItIsCut) {
  const std::string whole = encode(rows(100));
  for (size_t size = 0; size < whole.size(); size += 5) {
    EXPECT_THROW(decode(whole.substr(0, size)), Error) << size;
    expect_rows_or_refusal(whole.substr(0, size), "cut at " + std::to_string(size) + ": ");
  }
}

TEST_F(ParquetDamage, AChangedByteIsRefusedOrOnlyChangesValues) {
  const std::string whole = encode(rows(100));
  std::mt19937 random(7);
  for (int i = 0; i < 600; ++i) {
    std::string bytes = whole;
    const size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(random());
    expect_rows_or_refusal(bytes, "byte " + std::to_string(at) + ": ");
  }
}

// The headers of pages are not part of their checksums.
TEST_F(ParquetDamage, AChangedByteInsideAPageIsRefused) {
  for (const char* compression : {"none", "zstd"}) {
    const std::string whole = encode(rows(100), compression);
    const auto expected = test::rows_as_json(decode(whole));
    uint32_t footer = 0;
    std::memcpy(&footer, whole.data() + whole.size() - 8, sizeof footer);
    int changed = 0;
    for (size_t at = 4; at < whole.size() - 8 - footer; ++at) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
      try {
        changed += test::rows_as_json(decode(bytes)) != expected;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kData) << error.what();
      }
    }
    EXPECT_LE(changed, 12) << compression;
  }
}

TEST_F(ParquetDamage, ANullInAColumnWithoutNullsIsNoFile) {
  BatchBuilder batch(schema());
  batch.column<Int64Builder>(0).append_null();
  batch.column<Utf8Builder>(1).append_null();
  batch.column<ListBuilder>(2).append_null();
  try {
    encode(batch.finish());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("stream t: can't be written as Parquet: "));
  }
}

}  // namespace
}  // namespace patchbay
