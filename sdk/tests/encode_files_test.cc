#include "patchbay/encode_files.h"

#include <gmock/gmock.h>

#include "patchbay/object.h"
#include "patchbay/testing/fake_host.h"

namespace patchbay {
namespace {

using testing::ElementsAre;

// "<" at the beginning, the ids, ">" at the end.
class IdText final : public FileEncoder {
 public:
  void begin(std::string& out) override { out += '<'; }
  void rows(std::string& out, Batch batch) override {
    const BatchView view(batch);
    const auto id = view.column<Int64View>(0);
    for (int64_t i = 0; i < view.rows(); ++i) out += std::to_string(id[i]);
  }
  void end(std::string& out) override { out += '>'; }
};

SchemaPtr ids() {
  return std::make_shared<const Schema>(Schema{"t", {{"id", scalar(TypeId::kInt64), false}}, {}});
}

Batch batch_of(std::initializer_list<int64_t> values) {
  BatchBuilder batch(ids());
  for (const int64_t value : values) batch.column<Int64Builder>(0).append(value);
  return batch.finish();
}

// Keys and contents; an object that does not end lacks the dot at its end.
std::vector<std::string> files(
    FileParts parts, std::vector<Batch> batches,
    const MakeFileEncoder& make = [](const SchemaPtr&) { return std::make_unique<IdText>(); }) {
  test::FakeHost host;
  test::FakeCall raw(host);
  Call call(test::FakeHost::table(), raw.raw());
  test::FakeInput input;
  input.stream(0, ids());
  for (auto& batch : batches) input.batch(0, std::move(batch));
  const auto reader = encode_files(Input(input.raw()), std::move(parts), make);
  std::vector<std::string> out;
  for (;;) {
    Event event = reader->next(call);
    if (std::holds_alternative<End>(event)) return out;
    const auto* batch = std::get_if<BatchEvent>(&event);
    if (!batch) continue;
    const ObjectView chunks(batch->batch);
    for (int64_t row = 0; row < chunks.rows(); ++row) {
      const ObjectChunk chunk = chunks[row];
      if (chunk.offset == 0) out.push_back(std::string(chunk.key) + ":");
      EXPECT_EQ(out.back().size(), chunk.key.size() + 1 + static_cast<size_t>(chunk.offset));
      out.back() += chunk.data;
      if (chunk.last) out.back() += '.';
    }
  }
}

std::vector<Batch> one_to_five() {
  std::vector<Batch> out;
  out.push_back(batch_of({1, 2, 3}));
  out.push_back(batch_of({4, 5}));
  return out;
}

TEST(EncodeFiles, OneFilePerStream) {
  EXPECT_THAT(files({"{stream}.x"}, one_to_five()), ElementsAre("t.x:<12345>."));
}

TEST(EncodeFiles, AStreamWithoutRowsIsAFileWithoutRows) {
  EXPECT_THAT(files({"{stream}-{part}", 2}, {}), ElementsAre("t-00001:<>."));
}

TEST(EncodeFiles, PartsHaveExactlySoManyRows) {
  EXPECT_THAT(files({"{stream}-{part}", 2}, one_to_five()),
              ElementsAre("t-00001:<12>.", "t-00002:<34>.", "t-00003:<5>."));
  EXPECT_THAT(files({"{part}", 3}, one_to_five()), ElementsAre("00001:<123>.", "00002:<45>."));
  EXPECT_THAT(files({"{part}", 5}, one_to_five()), ElementsAre("00001:<12345>."));
}

TEST(EncodeFiles, PartsEndOnceTheyHaveSoManyBytes) {
  EXPECT_THAT(files({"{part}", 0, 3}, one_to_five()), ElementsAre("00001:<123>.", "00002:<45>."));
  EXPECT_THAT(files({"{part}", 0, 100}, one_to_five()), ElementsAre("00001:<12345>."));
}

TEST(EncodeFiles, LargeFilesComeInChunks) {
  class Large final : public FileEncoder {
   public:
    void rows(std::string& out, Batch) override { out += std::string(kObjectChunk * 3 / 2, 'x'); }
  };
  const auto out =
      files({"k"}, one_to_five(), [](const SchemaPtr&) { return std::make_unique<Large>(); });
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].size(), 3 * kObjectChunk + 3);
  EXPECT_TRUE(out[0].ends_with("x."));
}

TEST(EncodeFiles, SeveralFilesNeedSeveralNames) {
  const auto parse = [](const char* text) { return file_parts(Config::parse(text)); };
  EXPECT_EQ(parse(R"({"key": "a-{part}", "part_rows": 7, "part_bytes": 0})").rows, 7);
  EXPECT_THROW(parse(R"({"key": "a", "part_rows": 7, "part_bytes": 0})"), Error);
  EXPECT_THROW(parse(R"({"key": "a", "part_rows": 0, "part_bytes": 7})"), Error);
}

}  // namespace
}  // namespace patchbay
