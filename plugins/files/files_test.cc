// Files as streams of objects, and objects as files that appear whole.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "patchbay/json_value.h"
#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using test::SinkDriver;
using test::SourceDriver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

struct FilesTest : testing::Test {
  FilesTest() {
    char name[] = "/tmp/patchbay-files-XXXXXX";
    folder = mkdtemp(name);
  }
  ~FilesTest() override { fs::remove_all(folder); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // All files below the folder, hidden ones as "(temporary)".
  std::vector<std::string> files() {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().filename().string();
      out.push_back(name.starts_with(".patchbay")
                        ? "(temporary)"
                        : entry.path().lexically_relative(folder).string());
    }
    return out;
  }

  SinkDriver& sink(const std::string& path, const std::string& if_exists = "replace",
                   bool create = true) {
    Json::Value config;
    config["path"] = (folder / path).string();
    config["if_exists"] = if_exists;
    config["create"] = create;
    sink_ = std::make_unique<SinkDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                         "files", config);
    return *sink_;
  }
  SourceDriver& source(const std::string& path, const std::string& select = "all",
                       const std::string& order = "name") {
    Json::Value config;
    config["path"] = (folder / path).string();
    config["select"] = select;
    config["order"] = order;
    source_ = std::make_unique<SourceDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                             "files", config);
    return *source_;
  }
  // The last parts of the paths that the source would read, in order.
  std::vector<std::string> planned() {
    std::vector<std::string> out;
    for (const auto& split : source_->plan())
      out.push_back(fs::path(split["path"].asString()).filename().string());
    return out;
  }

  test::FakeHost host;
  fs::path folder;
  std::unique_ptr<SinkDriver> sink_;
  std::unique_ptr<SourceDriver> source_;
};

const Schema kObjects = object_schema("s");

std::vector<Batch> objects(const std::vector<std::pair<std::string, std::string>>& all) {
  ObjectBuilder batch(std::make_shared<Schema>(kObjects));
  for (const auto& [key, text] : all) {
    const std::string_view half = std::string_view(text).substr(0, text.size() / 2);
    batch.append({key, {}, {}, {}, 0, half, false});
    batch.append({key,
                  {},
                  {},
                  {},
                  static_cast<int64_t>(half.size()),
                  std::string_view(text).substr(half.size()),
                  true});
  }
  std::vector<Batch> out;
  out.push_back(batch.finish());
  return out;
}

TEST_F(FilesTest, FilesAppearWholeAtCommitAndTwiceChangesNothing) {
  const auto prepared =
      sink("out/{stream}/{key}")
          .prepare_all(kObjects, "t1", objects({{"a.txt", "hello"}, {"d/b.txt", ""}}));
  EXPECT_EQ(prepared.rows_accepted, 4);
  EXPECT_THAT(files(), ElementsAre("(temporary)", "(temporary)"));
  sink("out/{stream}/{key}").commit("t1", 1, {prepared.token});  // another process
  sink_->commit("t1", 1, {prepared.token});
  EXPECT_THAT(files(), UnorderedElementsAre("out/s/a.txt", "out/s/d/b.txt"));
  EXPECT_EQ(read("out/s/a.txt"), "hello");
}

TEST_F(FilesTest, AbortRemovesWhatATransactionOfThatNameLeft) {
  sink("{key}").prepare_all(kObjects, "t1", objects({{"a", "1"}}));
  sink("{key}").prepare_all(kObjects, "t12", objects({{"b", "2"}}));
  sink_->abort({"t1", "never"});
  EXPECT_THAT(files(), ElementsAre("(temporary)"));
}

TEST_F(FilesTest, ACommitWhoseFileIsGoneSaysSo) {
  const auto prepared = sink("{key}").prepare_all(kObjects, "t1", objects({{"a", "1"}}));
  sink_->abort({"t1"});
  EXPECT_THAT(test::failure([&] { sink_->commit("t1", 1, {prepared.token}); }, Code::kNotFound),
              HasSubstr("is gone"));
}

TEST_F(FilesTest, WhatIsThereIsReplacedKeptOrAnError) {
  write("a", "old");
  sink("{key}", "skip").write_all(kObjects, "t1", objects({{"a", "new"}}));
  EXPECT_EQ(read("a"), "old");
  EXPECT_THAT(test::failure(
                  [&] { sink("{key}", "fail").write_all(kObjects, "t2", objects({{"a", "new"}})); },
                  Code::kRemote),
              HasSubstr("is already there, and if_exists is fail"));
  EXPECT_THAT(files(), ElementsAre("a"));
  sink("{key}", "replace").write_all(kObjects, "t3", objects({{"a", "new"}}));
  EXPECT_EQ(read("a"), "new");
}

TEST_F(FilesTest, AFileThatAppearsBeforeTheCommitIsNotOverwritten) {
  const auto prepared = sink("{key}", "fail").prepare_all(kObjects, "t1", objects({{"a", "ours"}}));
  write("a", "theirs");
  EXPECT_THAT(test::failure([&] { sink_->commit("t1", 1, {prepared.token}); }, Code::kRemote),
              HasSubstr("is already there, and if_exists is fail"));
  EXPECT_EQ(read("a"), "theirs");
}

TEST_F(FilesTest, KeysStayBelowTheFolder) {
  sink("out/{key}").write_all(kObjects, "t1", objects({{"/abs", "1"}}));
  EXPECT_THAT(files(), ElementsAre("out/abs"));
  for (const char* key : {"../up", "a/../../up"}) {
    EXPECT_THAT(
        test::failure([&] { sink("out/{key}").write_all(kObjects, "t2", objects({{key, "1"}})); },
                      Code::kData),
        HasSubstr(key));
  }
}

TEST_F(FilesTest, TwoObjectsAreNeverOneFile) {
  EXPECT_THAT(test::failure(
                  [&] { sink("one").write_all(kObjects, "t1", objects({{"a", "1"}, {"b", "2"}})); },
                  Code::kConfig),
              HasSubstr("put {key} into"));
}

TEST_F(FilesTest, MistakesOfTheSinkAreNamed) {
  EXPECT_THAT(
      test::failure(
          [&] {
            sink("no/{key}", "replace", false).write_all(kObjects, "t1", objects({{"a", "1"}}));
          },
          Code::kNotFound),
      HasSubstr("No such file"));
  const Schema table{"people", {{"id", scalar(TypeId::kInt64), true}}, {}};
  EXPECT_THAT(test::failure([&] { sink("x").plan_schema(table); }, Code::kConfig),
              HasSubstr("stream people: is a table"));
}

TEST_F(FilesTest, AFileIsReadInChunksAndRestsAtItsEnd) {
  const std::string text(kObjectChunk + 5, 'x');
  write("a.bin", text);
  auto reader = source("a.bin").open(source_->plan().at(0));
  Json::Value state;
  reader.next();
  auto first = reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
  const auto rest = reader.batches();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kUnchanged);
  std::string all;
  for (const Batch* batch :
       std::initializer_list<const Batch*>{&std::get<BatchEvent>(first).batch, &rest.at(0)}) {
    const ObjectView view(*batch);
    for (int64_t i = 0; i < view.rows(); ++i) all += view[i].data;
  }
  EXPECT_EQ(all, text);
}

TEST_F(FilesTest, EmptyFilesAndWholeChunksHaveALastOne) {
  for (const size_t size : {size_t{0}, size_t{kObjectChunk}}) {
    write("a.bin", std::string(size, 'x'));
    const auto batches = source("a.bin").read_all();
    const ObjectView view(batches.back());
    EXPECT_TRUE(view[view.rows() - 1].last);
  }
}

TEST_F(FilesTest, SelectAndOrderSayWhichFiles) {
  for (const char* name : {"c.csv", "a.csv", "b.csv", "d.txt"}) write(name, name);
  const auto at = fs::last_write_time(folder / "a.csv");
  fs::last_write_time(folder / "b.csv", at + std::chrono::hours(1));
  fs::last_write_time(folder / "c.csv", at - std::chrono::hours(1));
  source("*.csv");
  EXPECT_THAT(planned(), ElementsAre("a.csv", "b.csv", "c.csv"));
  source("*.csv", "all", "modified");
  EXPECT_THAT(planned(), ElementsAre("c.csv", "a.csv", "b.csv"));
  source("*.csv", "newest", "modified");
  EXPECT_THAT(planned(), ElementsAre("b.csv"));
  EXPECT_TRUE(source_->plan()[0]["once"].asBool());
  source("*.json");
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(FilesTest, AFileThatIsNotThereIsNamedAndAChangedOneHasANewId) {
  EXPECT_THAT(test::failure([&] { source("a.csv").plan(); }, Code::kNotFound),
              HasSubstr("a.csv is not there"));
  write("a.csv", "1");
  const std::string before = source("*.csv", "new").plan()[0]["id"].asString();
  write("a.csv", "12");
  EXPECT_NE(source_->plan()[0]["id"].asString(), before);
}

}  // namespace
}  // namespace patchbay
