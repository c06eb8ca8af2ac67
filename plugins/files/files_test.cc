// Local files pass what every store has to, and what only files can get wrong.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "patchbay/testing/object_action_suite.h"
#include "patchbay/testing/object_sink_suite.h"
#include "patchbay/testing/object_source_suite.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {
namespace {

namespace fs = std::filesystem;

struct FilesBench {
  FilesBench() {
    char name[] = "/tmp/patchbay-files-XXXXXX";
    folder = mkdtemp(name);
  }
  ~FilesBench() { fs::remove_all(folder); }
  FilesBench(const FilesBench&) = delete;
  FilesBench& operator=(const FilesBench&) = delete;

  static const bay_plugin& plugin() { return *patchbay_plugin_v1(FakeHost::table()); }
  Json::Value config(const std::string& path) const {
    Json::Value out;
    out["path"] = uri(path);
    return out;
  }
  std::string uri(const std::string& name) const { return (folder / name).string(); }
  // As a careful writer does: whole, under another name first.
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / ".new", std::ios::binary) << text;
    fs::rename(folder / ".new", folder / name);
  }
  std::string get(const std::string& name) const {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> files(bool hidden) const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const bool is_hidden = entry.path().filename().string().starts_with(".patchbay");
      if (entry.is_regular_file() && is_hidden == hidden)
        out.push_back(entry.path().lexically_relative(folder).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<std::string> names() const { return files(false); }
  size_t leftovers() const { return files(true).size(); }

  std::string component = "files";
  fs::path folder;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectSources, FilesBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectActions, FilesBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Files, ObjectSinks, FilesBench);

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FilesTest : public ObjectStoreBench<FilesBench> {
 protected:
  void write_in_place(const std::string& name, const std::string& text, int flags) {
    const int fd = open(store.uri(name).c_str(), O_WRONLY | flags);
    ASSERT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(fd);
  }
  void set_time(const std::string& name, int64_t seconds) {
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    utimensat(AT_FDCWD, store.uri(name).c_str(), times, 0);
  }
  Prepared prepare(const std::string& path, const std::string& txn, const std::string& key = "a") {
    return sink(path).prepare_all(schema(), txn, objects({{key, "new"}}));
  }
  std::string refusal(const std::string& path, Code code = Code::kConfig) {
    return failure([&] { prepare(path, "refused"); }, code);
  }
};

TEST_F(FilesTest, AFileThatGrowsShrinksOrIsWrittenOverWhileItIsReadIsNotWhole) {
  const std::string text(3 * kObjectChunk, 'x');
  const std::function<void()> changes[] = {
      [&] { write_in_place("a", "more", O_APPEND); },
      [&] { fs::resize_file(store.uri("a"), 10); },
      [&] { write_in_place("a", "yyy", 0); },
  };
  for (const auto& change : changes) {
    store.put("a", text);
    set_time("a", 1'000'000);
    auto reading = source("a");
    auto reader = reading.open(reading.plan().at(0));
    reader.next();
    reader.next();
    change();
    EXPECT_THAT(failure([&] { reader.events(); }, Code::kUnavailable),
                HasSubstr("changed while it was read; read again"));
  }
}

TEST_F(FilesTest, AFileOfTheSameSizeAndTimeIsAnotherVersion) {
  store.put("a", "1");
  set_time("a", 1'000'000);
  auto reading = source("a", R"({"select": "new"})");
  const auto split = reading.plan().at(0);
  store.put("a", "2");
  set_time("a", 1'000'000);
  EXPECT_NE(reading.plan().at(0)["id"], split["id"]);
  failure([&] { reading.open(split); }, Code::kUnavailable);
}

TEST_F(FilesTest, IdsAreAbsolutePathsWhateverTheWorkingDirectory) {
  store.put("in/a.csv", "1");
  const fs::path before = fs::current_path();
  fs::current_path(store.folder);
  Json::Value config;
  config["select"] = "new";
  config["order"] = "name";
  for (const char* path : {"in/*.csv", "./in//a.csv"}) {
    config["path"] = path;
    const auto split = SourceDriver(host, store.plugin(), "files", config).plan().at(0);
    EXPECT_EQ(split["of"], store.uri("in/a.csv"));
    EXPECT_TRUE(split["id"].asString().starts_with(store.uri("in/a.csv") + "#"));
  }
  config["path"] = "in/*.csv";
  EXPECT_EQ(SourceDriver(host, store.plugin(), "files", config).plan().at(0)["key"], "in/a.csv");
  fs::current_path(before);
}

TEST_F(FilesTest, WhatAnEarlierVersionReadForGoodIsNotReadAgain) {
  store.put("in/a.csv", "12");
  set_time("in/a.csv", 7);
  auto reading = source("in/*.csv", R"({"select": "new"})");
  host.done = {store.uri("in/a.csv") + "#2-7000000"};  // the key, its size and microseconds
  EXPECT_THAT(reading.plan(), IsEmpty());
}

TEST_F(FilesTest, FoldersAndPipesAreNamedAtOnce) {
  fs::create_directory(store.folder / "dir.csv");
  mkfifo(store.uri("fifo.csv").c_str(), 0600);
  EXPECT_THAT(failure([&] { source("dir.csv").plan(); }, Code::kConfig),
              HasSubstr("dir.csv is a folder; write " + store.uri("dir.csv/*.csv")));
  EXPECT_THAT(failure([&] { source("fifo.csv").plan(); }, Code::kConfig),
              HasSubstr("fifo.csv is a FIFO, and only files are read"));
  failure([&] { source("*.csv").plan(); }, Code::kNotFound);  // a pattern names files alone
  store.put("a.csv", "1");
  auto reading = source("a.csv");
  const auto split = reading.plan().at(0);
  fs::remove(store.uri("a.csv"));
  mkfifo(store.uri("a.csv").c_str(), 0600);
  failure([&] { reading.open(split); }, Code::kUnavailable);
}

TEST_F(FilesTest, LinksToFilesAreReadAndOthersPassedOver) {
  store.put("real/a.csv", "1");
  fs::create_directory(store.folder / "in");
  fs::create_symlink("../real/a.csv", store.folder / "in/link.csv");
  fs::create_symlink("nowhere", store.folder / "in/dangling.csv");
  fs::create_symlink("../real", store.folder / "in/folder");
  EXPECT_EQ(read("in/link.csv"), "1");
  EXPECT_THAT(keys(source("in/**/*.csv").plan()), ElementsAre("link.csv"));
}

// A user without root's rights, for one test.
class PlainUser {
 public:
  PlainUser() : before_(geteuid()) {
    if (before_ == 0 && seteuid(65534) != 0) throw std::runtime_error("seteuid");
  }
  ~PlainUser() {
    if (seteuid(before_) != 0) std::abort();
  }
  PlainUser(const PlainUser&) = delete;
  PlainUser& operator=(const PlainUser&) = delete;

 private:
  const uid_t before_;
};

TEST_F(FilesTest, AFileIsReadByItsNameInAFolderThatMayOnlyBePassed) {
  store.put("passed/a", "1");
  chmod(store.folder.c_str(), 0711);
  chmod(store.uri("passed").c_str(), 0111);
  {
    const PlainUser user;
    EXPECT_EQ(read("passed/a"), "1");
    EXPECT_THAT(failure([&] { source("passed/*").plan(); }, Code::kConfig),
                HasSubstr("passed: cannot be opened: Permission denied"));
  }
  chmod(store.uri("passed").c_str(), 0700);
}

TEST_F(FilesTest, OrderSaysWhichIsTheNewest) {
  for (const char* name : {"c.csv", "a.csv", "b.csv"}) store.put(name, name);
  set_time("c.csv", 1);
  set_time("a.csv", 2);
  set_time("b.csv", 3);
  EXPECT_THAT(keys(source("*.csv", R"({"order": "modified"})").plan()),
              ElementsAre("c.csv", "a.csv", "b.csv"));
  EXPECT_THAT(keys(source("*.csv", R"({"order": "modified", "select": "newest"})").plan()),
              ElementsAre("b.csv"));
}

TEST_F(FilesTest, WhatIsNoFileIsNotReplaced) {
  fs::create_directory(store.folder / "dir");
  mkfifo(store.uri("fifo").c_str(), 0600);
  fs::create_symlink("fifo", store.folder / "link");
  EXPECT_THAT(refusal("dir"), HasSubstr("dir is a folder; write " + store.uri("dir/{key}")));
  EXPECT_THAT(refusal("fifo"), HasSubstr("fifo is a FIFO, and only files are written"));
  EXPECT_THAT(refusal("link"), HasSubstr("link is a link to fifo; write fifo"));
  EXPECT_EQ(store.leftovers(), 0u);
  for (const char* name : {"dir", "fifo", "link"})
    failure([&] { sink(name).check(); }, Code::kConfig);
}

TEST_F(FilesTest, WhatTakesTheNameBeforeTheCommitIsNotReplacedEither) {
  auto writing = sink("{key}");
  const auto prepared = writing.prepare_all(schema(), "t1", objects({{"a", "1"}}));
  fs::create_symlink("elsewhere", store.folder / "a");
  EXPECT_THAT(failure([&] { writing.commit("t1", 1, {prepared.token}); }, Code::kRemote),
              HasSubstr("a is a link to elsewhere"));
  fs::remove(store.folder / "a");
  writing.commit("t1", 1, {prepared.token});
  EXPECT_EQ(store.get("a"), "1");
}

TEST_F(FilesTest, LinksBelowTheFixedPartAreNotFollowed) {
  fs::create_directories(store.folder / "out");
  fs::create_directories(store.folder / "elsewhere");
  fs::create_symlink("../elsewhere", store.folder / "out/s");
  EXPECT_THAT(refusal("out/{stream}/x"), HasSubstr("out/s: is a link to ../elsewhere"));
  EXPECT_THAT(store.names(), IsEmpty());
  prepare("out/s/{key}", "t1");  // the user's own words
  EXPECT_EQ(store.files(true).at(0).substr(0, 10), "elsewhere/");
}

TEST_F(FilesTest, NewFoldersAreMadeOnRequest) {
  sink("n1/n2/{stream}/{key}").write_all(schema(), "t1", objects({{"n3/a", "1"}}));
  EXPECT_THAT(store.names(), ElementsAre("n1/n2/s/n3/a"));
  EXPECT_THAT(failure(
                  [&] {
                    sink("no/{key}", R"({"create": false})")
                        .write_all(schema(), "t1", objects({{"a", "1"}}));
                  },
                  Code::kNotFound),
              HasSubstr("no: cannot be opened: No such file"));
}

// Whether the file system of the tests keeps attributes; see files_mark.h.
bool keeps_marks(const fs::path& folder) {
  return setxattr(folder.c_str(), "user.patchbay.test", "1", 1, 0) == 0;
}

TEST_F(FilesTest, AFileThatAConsumerTookAwayWasDelivered) {
  if (!keeps_marks(store.folder)) GTEST_SKIP() << "no extended attributes here";
  auto writing = sink("outbox/{stream}/{key}");
  const auto prepared = writing.prepare_all(schema(), "t1", objects({{"a", "1"}, {"b", "2"}}));
  host.throw_at_step = "files.renamed";
  EXPECT_THROW(writing.commit("t1", 1, {prepared.token}), Error);  // after the first of the two
  host.throw_at_step.clear();
  fs::remove_all(store.folder / "taken");
  fs::rename(store.folder / "outbox/s/a", store.folder / "taken");
  auto next_run = sink("outbox/{stream}/{key}");
  EXPECT_EQ(next_run.outcome("t1", {prepared.token}), Outcome::kPrepared);
  next_run.commit("t1", 1, {prepared.token});
  EXPECT_THAT(store.names(), ElementsAre("outbox/s/b", "taken"));
  fs::remove_all(store.folder / "outbox/s");
  EXPECT_EQ(next_run.outcome("t1", {prepared.token}), Outcome::kCommitted);
  EXPECT_NO_THROW(next_run.commit("t1", 1, {prepared.token}));
}

TEST_F(FilesTest, WhatSomebodyRemovedBeforeItWasShownIsGone) {
  const auto prepared = prepare("outbox/{key}", "t1");
  fs::remove(store.folder / store.files(true).at(0));
  EXPECT_THAT(
      failure([&] { sink("outbox/{key}").commit("t1", 1, {prepared.token}); }, Code::kNotFound),
      HasSubstr("is gone"));
}

TEST_F(FilesTest, MarksOfDeliveriesDoNotPileUp) {
  if (!keeps_marks(store.folder)) GTEST_SKIP() << "no extended attributes here";
  auto writing = sink("{key}");
  for (int i = 0; i < 100; ++i) {
    const std::string txn = "t" + std::to_string(i);
    writing.write_all(schema(), txn, objects({{txn, "1"}}));
  }
  const ssize_t size = listxattr(store.folder.c_str(), nullptr, 0);
  EXPECT_GT(size, 0);
  EXPECT_LT(size, 2500);
}

TEST_F(FilesTest, ATokenHoldsAbsolutePaths) {
  const fs::path before = fs::current_path();
  fs::current_path(store.folder);
  Json::Value config;
  config["path"] = "out/{key}";
  config["if_exists"] = "replace";
  SinkDriver writing(host, store.plugin(), "files", config);
  const auto prepared = writing.prepare_all(schema(), "t1", objects({{"a", "1"}}));
  fs::current_path("/");
  writing.commit("t1", 1, {prepared.token});
  fs::current_path(before);
  EXPECT_EQ(store.get("out/a"), "1");
}

TEST_F(FilesTest, OneFileHasOneNameForClaims) {
  fs::create_directory(store.folder / "real");
  fs::create_symlink("real", store.folder / "link");
  sink("link/{key}").write_all(schema(), "t1", objects({{"d//./a", "1"}}));
  EXPECT_EQ(host.claims.begin()->first, store.uri("real/d/a"));
}

TEST_F(FilesTest, ANameThatIsTooLongIsTheConfigurations) {
  EXPECT_THAT(refusal(std::string(300, 'x')), HasSubstr("File name too long"));
}

TEST_F(FilesTest, ALinkThatIsMovedTakesTheBytesAlong) {
  store.put("real/a", "1");
  fs::create_directory(store.folder / "in");
  fs::create_symlink("../real/a", store.folder / "in/a");
  Json::Value more;
  more["on_commit"]["move_to"] = store.uri("done/{name}");
  auto reading = source("in/*", write_json(more));
  auto reader = reading.open(reading.plan().at(0));
  reader.events();
  reader.committed(1);
  EXPECT_THAT(store.names(), ElementsAre("done/a", "real/a"));
  EXPECT_EQ(store.get("done/a"), "1");
  EXPECT_FALSE(fs::exists(fs::symlink_status(store.folder / "in/a")));
}

TEST_F(FilesTest, AMoveThatFailsIsSaidAndReadsNothingAgain) {
  store.put("in/a", "1");
  store.put("done", "a file where the folder should be");
  Json::Value more;
  more["on_commit"]["move_to"] = store.uri("done/{name}");
  auto reading = source("in/*", write_json(more));
  auto reader = reading.open(reading.plan().at(0));
  reader.events();
  EXPECT_THAT(failure([&] { reader.committed(1); }, Code::kConfig),
              HasSubstr("in/a: its rows are committed, but it is not moved"));
}

TEST_F(FilesTest, OneMoveThatFailsLaterHoldsUpNoOther) {
  store.put("in/a", "1");
  store.put("in/b", "2");
  fs::create_directories(store.folder / "done/a");  // where the file should go
  Json::Value more;
  more["select"] = "new";
  more["on_commit"]["move_to"] = store.uri("done/{name}");
  auto reading = source("in/*", write_json(more));
  for (const auto& split : reading.plan()) host.done.insert(split["id"].asString());
  reading.plan();
  EXPECT_THAT(store.names(), ElementsAre("done/b", "in/a"));
  ASSERT_EQ(host.logs.size(), 1u);
  EXPECT_THAT(host.logs[0].message, HasSubstr("on_commit.move_to: what is read and committed is "
                                              "not moved yet, and the next run tries again: "));
}

}  // namespace
}  // namespace patchbay::test
