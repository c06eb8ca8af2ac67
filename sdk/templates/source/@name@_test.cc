#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

using ::testing::ElementsAre;

class Lines : public ::testing::Test {
 protected:
  ~Lines() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  test::SourceDriver source() {
    Json::Value config;
    config["path"] = path_;
    return {host_, *patchbay_plugin_v1(test::FakeHost::table()), "@name@", config};
  }
  std::vector<std::string> read(Json::Value& state) {
    test::SourceDriver lines = source();
    test::ReaderDriver reader = lines.open(lines.plan().at(0), state);
    auto rows = test::rows_as_json(reader.batches());
    reader.checkpoint(state);
    return rows;
  }
  std::string failure() {
    Json::Value state;
    try {
      read(state);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  test::FakeHost host_;
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("lines-" + std::to_string(getpid()));
};

TEST_F(Lines, AreReadOnceAndOnlyWhenTheyAreWhole) {
  Json::Value state;
  write("one\ntwo\nthr");
  EXPECT_THAT(read(state), ElementsAre(R"({"line":1,"text":"one"})", R"({"line":2,"text":"two"})"));
  write("one\ntwo\nthree\n");
  EXPECT_THAT(read(state), ElementsAre(R"({"line":3,"text":"three"})"));
  EXPECT_THAT(read(state), ElementsAre());
}

TEST_F(Lines, AFileThatBecameShorterIsNotReadInSilence) {
  Json::Value state;
  write("one\ntwo\n");
  read(state);
  write("new\n");
  EXPECT_THROW(read(state), Error);
}

TEST_F(Lines, FaultsNameTheFileAndTheLine) {
  EXPECT_THAT(failure(), ::testing::AllOf(::testing::HasSubstr(path_ + ": "),
                                          ::testing::HasSubstr("No such file")));
  write("one\n\xff\n");
  EXPECT_EQ(failure(), path_ + ": line 2: is no UTF-8");
  write(std::string(70000, 'x') + "\n");
  EXPECT_EQ(failure(), path_ + ": line 1: is longer than 65535 bytes");
}

}  // namespace
}  // namespace patchbay
