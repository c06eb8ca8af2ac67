// The path `-`: standard input is read once, standard output is written at commit.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "patchbay/file.h"
#include "patchbay/testing/object_store_bench.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {
namespace {

using testing::HasSubstr;

struct StandardBench {
  static const bay_plugin& plugin() { return *patchbay_plugin_v1(FakeHost::table()); }
  static Json::Value config(const std::string& path) {
    Json::Value out;
    out["path"] = path;
    return out;
  }
  std::string component = "files";
};

// Puts another file in the place of a descriptor for one test.
class Redirected {
 public:
  Redirected(int descriptor, int to) : descriptor_(descriptor), before_(dup(descriptor)) {
    dup2(to, descriptor);
  }
  ~Redirected() {
    dup2(before_, descriptor_);
    close(before_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  const int descriptor_, before_;
};

class StandardTest : public ObjectStoreBench<StandardBench> {
 protected:
  StandardTest() : spool_(std::tmpfile()) {}
  ~StandardTest() override { std::fclose(spool_); }
  int file() const { return fileno(spool_); }
  std::string written() const {
    std::string text(100, '\0');
    text.resize(static_cast<size_t>(std::max<ssize_t>(pread(file(), text.data(), 100, 0), 0)));
    return text;
  }

  std::FILE* spool_;
};

TEST_F(StandardTest, InputIsOneObjectThatIsReadOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  write_all(ends[1], "hello");
  close(ends[1]);
  const Redirected input(STDIN_FILENO, ends[0]);
  close(ends[0]);
  auto reading = source("-");
  const auto split = reading.plan().at(0);
  EXPECT_EQ(split["stream"], "stdin");
  EXPECT_FALSE(split["once"].asBool());
  EXPECT_FALSE(split["resumes"].asBool());
  const auto batches = reading.open(split).batches();
  EXPECT_EQ(text_of(batches), "hello");
  const ObjectView last(batches.back());
  EXPECT_TRUE(last[0].last);
  EXPECT_EQ(last[0].key, "stdin");
  EXPECT_FALSE(last[0].size.has_value());
  EXPECT_THAT(failure([&] { reading.open(split).events(); }, Code::kRemote),
              HasSubstr("cannot be read again"));
}

TEST_F(StandardTest, InputIsReadByEachRunAndStaysWhereItIs) {
  EXPECT_THAT(failure([&] { source("-", R"({"select": "new"})"); }, Code::kConfig),
              HasSubstr("select: must be all"));
  EXPECT_THAT(failure([&] { source("-", R"({"on_commit": {"delete": true}})"); }, Code::kConfig),
              HasSubstr("on_commit: needs a file"));
}

TEST_F(StandardTest, OutputIsWrittenAtCommitAndOnce) {
  const Redirected output(STDOUT_FILENO, file());
  auto writing = sink("-");
  const auto prepared = writing.prepare_all(schema(), "t1", objects({{"a", "hello"}}));
  EXPECT_EQ(writing.outcome("t1", {prepared.token}), Outcome::kPrepared);
  EXPECT_EQ(written(), "");
  writing.commit("t1", 1, {prepared.token});
  writing.commit("t1", 1, {prepared.token});
  EXPECT_EQ(writing.outcome("t1", {prepared.token}), Outcome::kCommitted);
  EXPECT_EQ(written(), "hello");
}

TEST_F(StandardTest, WhatWasSpooledIsGoneWithItsProcess) {
  const auto prepared = sink("-").prepare_all(schema(), "t1", objects({{"a", "hello"}}));
  EXPECT_EQ(sink("-").outcome("t1", {prepared.token}), Outcome::kGone);
  failure([&] { sink("-").commit("t1", 1, {prepared.token}); }, Code::kNotFound);
}

TEST_F(StandardTest, OutputTakesOneObject) {
  EXPECT_THAT(
      failure([&] { sink("-").prepare_all(schema(), "t1", objects({{"a", ""}, {"b", ""}})); },
              Code::kConfig),
      HasSubstr("two objects become standard output"));
}

}  // namespace
}  // namespace patchbay::test
