// Archives of strangers, in pieces of any size.
#include "package/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512, '\0');
  return text;
}

// A ustar header with its content; `size` other than that of the content where it lies.
std::string member(const std::string& name, char flag, const std::string& content,
                   int64_t size = -1, const std::string& prefix = "") {
  std::string block(512, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  char octal[13];
  std::snprintf(octal, sizeof octal, "%011llo",
                static_cast<unsigned long long>(size < 0 ? content.size() : size));
  put(0, name);
  put(100, "0000644");
  put(124, octal);
  put(148, "        ");
  block[156] = flag;
  put(257, std::string("ustar\00000", 8));
  put(345, prefix);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  put(148, octal);
  return block + padded(content);
}

class Seen final : public TarVisitor {
 public:
  bool begin(const TarEntry& entry) override {
    all.push_back(entry.name + " " + std::to_string(static_cast<int>(entry.kind)) + " ");
    return true;
  }
  void content(std::string_view bytes) override { all.back() += bytes; }
  void end() override { all.back() += "."; }

  std::vector<std::string> all;
};

std::vector<std::string> read(const std::string& archive, size_t piece) {
  Seen seen;
  TarReader reader(seen);
  for (size_t at = 0; at < archive.size(); at += piece) reader.feed(archive.substr(at, piece));
  reader.finish();
  return seen.all;
}

const std::string kEnd(1024, '\0');

TEST(TarReader, GivesTheSameInPiecesOfAnySize) {
  const std::string pax = "16 path=a/b/c/d\n";
  const std::string archive =
      member("one", '0', "first") + member("two", '0', std::string(512, 'x')) +
      member("empty", '0', "") + member("dir/", '5', "") +
      member("x", 'L', std::string("long/name\0", 10)) + member("cut", '0', "l") +
      member("x", 'x', pax) + member("cut", '0', "p") + member("name", '0', "in", -1, "pre/fix") +
      kEnd + "what follows";
  const auto whole = read(archive, archive.size());
  EXPECT_THAT(whole,
              ElementsAre("one 0 first.", "two 0 " + std::string(512, 'x') + ".", "empty 0 .",
                          "dir/ 4 .", "long/name 0 l.", "a/b/c/d 0 p.", "pre/fix/name 0 in."));
  for (const size_t piece : {1, 7, 511, 512, 513}) EXPECT_EQ(read(archive, piece), whole) << piece;
}

TEST(TarReader, LinksAndDevicesHaveNoContent) {
  for (const char flag : {'1', '2', '3', '4', '5', '6'}) {
    const auto seen = read(member("a", flag, "", 1000) + member("b", '0', "b") + kEnd, 512);
    ASSERT_EQ(seen.size(), 2u) << flag;
    EXPECT_EQ(seen[1], "b 0 b.") << flag;
  }
}

std::string refusal(const std::string& archive) {
  try {
    read(archive, 100);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    return error.what();
  }
  return "";
}

TEST(TarReader, RefusesWhatIsBrokenOrWithoutMeasure) {
  const std::string good = member("a", '0', "content");
  std::string sum = good;
  sum[0] = 'b';
  std::string negative = good;
  std::memset(&negative[124], 0xff, 12);
  const struct {
    std::string archive, why;
  } kCases[] = {
      {good.substr(0, 300), "it ends in the middle"},
      {good.substr(0, 700), "it ends in the middle"},
      {sum + kEnd, "a header has a wrong checksum"},
      {std::string(512, 'x'), "a number in it is not one"},
      {member("a", 'L', "", 1 << 20), "a name of more than 64 KiB"},
      {member("a", 'x', "", 2 << 20), "a header of more than 1 MiB"},
      {member("a", 'x', "path=a\n"), "a pax header has no proper length"},
      {member("a", 'x', "99 path=a\n"), "a pax header has no proper length"},
      {member("a", 'x', "8 patha\n"), "a pax header has no value"},
      {member("a", 'x', "10 size=x\n") + good, "a size in it is not a number"},
  };
  for (const auto& c : kCases) EXPECT_THAT(refusal(c.archive), HasSubstr(c.why));
  EXPECT_NE(refusal(negative), "");
}

}  // namespace
}  // namespace patchbay::host
