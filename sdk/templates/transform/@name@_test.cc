#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

using ::testing::ElementsAre;

SchemaPtr people() {
  return std::make_shared<const Schema>(
      Schema{"people", {{"id", scalar(TypeId::kInt64)}, {"name", scalar(TypeId::kUtf8)}}, {}});
}

Batch row(int64_t id, const std::string& name) {
  BatchBuilder batch(people());
  batch.column<Int64Builder>("id").append(id);
  batch.column<Utf8Builder>("name").append(name);
  return batch.finish();
}

TEST(Prefix, StandsBeforeEveryName) {
  test::FakeHost host;
  test::TransformDriver transform(host, *patchbay_plugin_v1(test::FakeHost::table()), "@name@",
                                  parse_json(R"({"prefix": "raw_"})"));
  std::vector<Batch> in;
  in.push_back(row(1, "Ada"));
  in.push_back(row(2, "Bob"));
  EXPECT_THAT(test::rows_as_json(transform.run(people(), std::move(in))),
              ElementsAre(R"({"raw_id":1,"raw_name":"Ada"})", R"({"raw_id":2,"raw_name":"Bob"})"));
}

TEST(Prefix, IsNeeded) {
  test::FakeHost host;
  EXPECT_THROW(test::TransformDriver(host, *patchbay_plugin_v1(test::FakeHost::table()), "@name@",
                                     parse_json("{}")),
               Error);
}

}  // namespace
}  // namespace patchbay
