#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

SchemaPtr people() {
  return std::make_shared<const Schema>(Schema{"people",
                                               {{"id", scalar(TypeId::kInt64)},
                                                {"name", scalar(TypeId::kUtf8)},
                                                {"amount", scalar(TypeId::kFloat64)}},
                                               {}});
}

std::vector<Batch> rows() {
  BatchBuilder batch(people());
  batch.column<Int64Builder>("id").append(1);
  batch.column<Utf8Builder>("name").append("Ada \"A\"\n");
  batch.column<Float64Builder>("amount").append(0.5);
  batch.column<Int64Builder>("id").append(2);
  batch.column<Utf8Builder>("name").append_null();
  batch.column<Float64Builder>("amount").append_null();
  std::vector<Batch> out;
  out.push_back(batch.finish());
  return out;
}

class JsonFolder : public ::testing::Test {
 protected:
  JsonFolder() {
    std::string pattern = fs::temp_directory_path() / "json-folder-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~JsonFolder() override { fs::remove_all(folder_); }
  test::SinkDriver sink() {
    Json::Value config;
    config["folder"] = folder_;
    return {host_, *patchbay_plugin_v1(test::FakeHost::table()), "@name@", config};
  }
  std::string content(const std::string& name) {
    std::ifstream in(folder_ + "/" + name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  test::FakeHost host_;
  std::string folder_;
};

TEST_F(JsonFolder, HasARowPerLineOnceItIsCommitted) {
  test::SinkDriver first = sink();
  const Prepared prepared = first.prepare_all(*people(), "t1", rows());
  EXPECT_EQ(prepared.rows_accepted, 2);
  EXPECT_FALSE(fs::exists(folder_ + "/t1.0.json"));
  sink().commit("t1", 1, {prepared.token});
  sink().commit("t1", 1, {prepared.token});
  EXPECT_EQ(content("t1.0.json"),
            "{\"id\":1,\"name\":\"Ada \\\"A\\\"\\n\",\"amount\":0.5}\n"
            "{\"id\":2,\"name\":null,\"amount\":null}\n");
}

TEST_F(JsonFolder, KeepsNothingOfWhatWasAborted) {
  sink().prepare_all(*people(), "t1", rows());
  sink().prepare_all(*people(), "t10", rows());
  sink().abort({"t1"});
  EXPECT_FALSE(fs::exists(folder_ + "/.t1.0"));
  EXPECT_TRUE(fs::exists(folder_ + "/.t10.0"));
}

TEST_F(JsonFolder, MissesWhatWasPreparedAndIsGone) {
  const Prepared prepared = sink().prepare_all(*people(), "t1", rows());
  sink().abort({"t1"});
  EXPECT_THROW(sink().commit("t1", 1, {prepared.token}), Error);
}

}  // namespace
}  // namespace patchbay
