#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

#include "patchbay/json_value.h"
#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct File {
  std::string key, text;
  bool operator==(const File&) const = default;
};

std::string gzip(const std::string& text, int level = 6, const char* name = nullptr) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  gz_header header{};
  std::string extra = "ab\2\0xy";
  if (name) {
    header.name = reinterpret_cast<Bytef*>(const_cast<char*>(name));
    header.comment = header.name;
    header.extra = reinterpret_cast<Bytef*>(extra.data());
    header.extra_len = 6;
    header.hcrc = 1;
    deflateSetHeader(&stream, &header);
  }
  std::string out(deflateBound(&stream, text.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string random_text(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (auto& c : out) c = static_cast<char>('a' + random() % 11);
  return out;
}

// Drives decode or encode with one stream of files, cut into pieces.
class Compress : public testing::Test {
 protected:
  std::vector<File> run(const std::string& component, const Json::Value& config,
                        const std::vector<File>& files, size_t piece = 1 << 20) {
    const auto schema = std::make_shared<const Schema>(object_schema("s"));
    std::vector<Batch> in;
    for (const auto& file : files) {
      ObjectBuilder builder(schema);
      size_t at = 0;
      do {
        const size_t n = std::min(piece, file.text.size() - at);
        builder.append({file.key,
                        {},
                        {},
                        {},
                        static_cast<int64_t>(at),
                        std::string_view(file.text).substr(at, n),
                        at + n == file.text.size()});
        at += n;
      } while (at < file.text.size());
      in.push_back(builder.finish());
    }
    TransformDriver transform(host_, *patchbay_plugin_v1(FakeHost::table()), component, config);
    return collect(transform.run(schema, std::move(in)));
  }
  std::string decode(const std::string& bytes, const std::string& key = "a.gz",
                     size_t piece = 1 << 20) {
    return run("decode", decode_config(), {{key, bytes}}, piece).at(0).text;
  }
  std::string failure(const std::string& bytes, const std::string& key = "a.gz") {
    try {
      decode(bytes, key, 1000);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "no failure";
  }
  static Json::Value decode_config(const char* method = "auto") {
    Json::Value config;
    config["method"] = method;
    config["max_ratio"] = 500;
    config["window_log"] = 27;
    return config;
  }
  static Json::Value encode_config(const char* method, int level = 0) {
    Json::Value config;
    config["method"] = method;
    if (level > 0) config["level"] = level;
    return config;
  }

  FakeHost host_;

 private:
  static std::vector<File> collect(const std::vector<Batch>& batches) {
    std::vector<File> out;
    bool open = false;
    for (const auto& batch : batches) {
      const ObjectView view(batch);
      for (int64_t row = 0; row < view.rows(); ++row) {
        const ObjectChunk chunk = view[row];
        EXPECT_LE(chunk.data.size(), kObjectChunk);
        if (!open) out.push_back({std::string(chunk.key), ""});
        EXPECT_EQ(chunk.offset, static_cast<int64_t>(out.back().text.size()));
        EXPECT_TRUE(!chunk.data.empty() || (chunk.offset == 0 && chunk.last));
        out.back().text += chunk.data;
        open = !chunk.last;
      }
    }
    EXPECT_FALSE(open);
    return out;
  }
};

TEST_F(Compress, ReadsWhatOthersWrote) {
  const std::string text = random_text(1'500'000, 1);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}, size_t{1} << 20}) {
    const std::string part = piece < 100 ? text.substr(0, 20'000) : text;
    EXPECT_EQ(decode(gzip(part), "a.gz", piece), part) << piece;
    EXPECT_EQ(decode(gzip(part, 1, "name"), "a.gz", piece), part) << piece;
    EXPECT_EQ(decode(gzip(part, 0), "a.gz", piece), part) << piece;
    EXPECT_EQ(decode(zstd(part), "a.zst", piece), part) << piece;
  }
}

TEST_F(Compress, GivesBackWhatItTook) {
  for (const char* method : {"gzip", "zstd", "none"}) {
    for (const int level : {0, 5, 9}) {
      for (const size_t size : {size_t{0}, size_t{1}, size_t{1} << 20, size_t{1'500'000}}) {
        const std::vector<File> files{{"a.csv", random_text(size, 7)}, {"b.csv", "x"}};
        const auto packed = run("encode", encode_config(method, level), files, 300'000);
        EXPECT_EQ(run("decode", decode_config(method), packed), files) << method << level << size;
      }
    }
  }
}

TEST_F(Compress, WritesTheSameBytesEveryTime) {
  const std::vector<File> files{{"a.csv", random_text(100'000, 3)}};
  const auto once = run("encode", encode_config("gzip"), files);
  EXPECT_EQ(once, run("encode", encode_config("gzip"), files));
  EXPECT_EQ(once[0].key, "a.csv.gz");
  EXPECT_EQ(once[0].text.substr(4, 4), std::string(4, '\0')) << "no time in the header";
  EXPECT_LT(once[0].text.size(), 70'000u);
}

TEST_F(Compress, ZlibReadsWhatItWrote) {
  const std::string text = random_text(200'000, 3);
  const std::string packed = run("encode", encode_config("gzip", 9), {{"a", text}})[0].text;
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(text.size() + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(out, text);
}

TEST_F(Compress, TakesManyMembersAndFrames) {
  const std::string gz = gzip("one,") + gzip("") + gzip("two,") + gzip("three");
  const std::string skip("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  const std::string zst = skip + zstd("one,") + zstd("") + skip + zstd("two");
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{1000}}) {
    EXPECT_EQ(decode(gz, "a.gz", piece), "one,two,three");
    EXPECT_EQ(decode(zst, "a.zst", piece), "one,two");
  }
}

TEST_F(Compress, KeysLoseTheirEnding) {
  const std::pair<const char*, const char*> cases[] = {
      {"a.csv.gz", "a.csv"}, {"d/A.CSV.GZ", "d/A.CSV"}, {"a.tgz", "a.tar"}, {"plain", "plain"}};
  for (const auto& [key, expected] : cases)
    EXPECT_EQ(run("decode", decode_config(), {{key, gzip("x")}})[0].key, expected);
}

TEST_F(Compress, FindsOutByTheFirstBytes) {
  EXPECT_EQ(decode(zstd("x"), "wrong.gz"), "x");
  EXPECT_EQ(decode(gzip("x"), "no ending", 1), "x");
  EXPECT_EQ(decode("id,name\n", "a.csv", 3), "id,name\n");
  EXPECT_EQ(decode("", "a.csv"), "");
  EXPECT_EQ(decode("id", "a.csv", 1), "id");
  EXPECT_THAT(failure("id,name\n", "a.csv.gz"), HasSubstr("a.csv.gz: is neither gzip nor zstd"));
  EXPECT_THAT(failure("", "a.csv.gz"), HasSubstr("a.csv.gz: is empty"));
}

TEST_F(Compress, ACutFileFailsWhereverItIsCut) {
  const std::string text = random_text(3000, 5), gz = gzip(text), zst = zstd(text);
  for (size_t at = 4; at < gz.size(); at += at < 40 || at + 40 > gz.size() ? 1 : 97)
    ASSERT_THAT(failure(gz.substr(0, at)), HasSubstr("a.gz: is cut")) << at;
  for (size_t at = 4; at < zst.size(); at += 3)
    ASSERT_THAT(failure(zst.substr(0, at), "a.zst"), HasSubstr("a.zst: is cut")) << at;
  ASSERT_THAT(failure(gz + gz.substr(0, 12)), HasSubstr("a.gz: is cut"));
}

TEST_F(Compress, ADamagedFileFails) {
  const std::string text = random_text(30'000, 5);
  std::string gz = gzip(text), zst = run("encode", encode_config("zstd"), {{"a", text}})[0].text;
  gz[gz.size() - 6] ^= 1;
  EXPECT_THAT(failure(gz), HasSubstr("a.gz: the gzip data is damaged: its checksum"));
  gz[gz.size() - 6] ^= 1;
  gz[gz.size() - 1] ^= 1;
  EXPECT_THAT(failure(gz), HasSubstr("a.gz: the gzip data is damaged: its checksum"));
  zst[zst.size() - 1] ^= 1;
  EXPECT_THAT(failure(zst, "a.zst"), HasSubstr("a.zst: the zstd data is damaged"));
  EXPECT_THAT(failure(zstd("x") + "junk", "a.zst"), HasSubstr("behind the zstd data"));
  EXPECT_THAT(failure("\x1f\x8b and then text that is none"), HasSubstr("a.gz"));
}

TEST_F(Compress, BehindGzipStandsPaddingOrAnotherMember) {
  const std::string gz = gzip("x");
  EXPECT_EQ(decode(gz + std::string(2000, '\0'), "a.gz", 100), "x");
  std::string damaged = gzip("y");
  damaged[0] ^= 1;
  for (const std::string& junk :
       {damaged, std::string("junk"), std::string("\x1f"), std::string("\x1f junk")})
    EXPECT_THAT(failure(gz + junk), HasSubstr("a.gz: bytes behind the gzip data are no gzip"));
}

TEST_F(Compress, ABombIsRefused) {
  const std::string zeros(70 << 20, '\0');
  EXPECT_THAT(failure(gzip(zeros)), HasSubstr("a.gz: grows to more than 500 times its size"));
  EXPECT_THAT(failure(zstd(zeros), "a.zst"), HasSubstr("a.zst: grows to more than 500 times"));
}

TEST_F(Compress, AWindowHasALimit) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 28);
  const std::string text = random_text(1000, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer from{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_compressStream2(context, &to, &from, ZSTD_e_flush);
  ZSTD_compressStream2(context, &to, &from, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  EXPECT_THAT(failure(out, "a.zst"), HasSubstr("a.zst: needs a window of more than 2^27"));
  Json::Value config = decode_config();
  config["window_log"] = 31;
  EXPECT_EQ(run("decode", config, {{"a.zst", out}})[0].text, text);
}

}  // namespace
}  // namespace patchbay::test
