// The suite passes a plugin in C, and knows whose an array is.
#include "patchbay/testing/conformance.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "guarded_batch.h"
#include "patchbay/json_value.h"
#include "patchbay/testing/fake_host.h"
#include "sample_components.h"

namespace patchbay {
namespace {

std::string failures_of(const std::vector<test::CheckResult>& results) {
  std::string out;
  for (const auto& result : results) {
    if (!result.ok) out += result.name + ": " + result.message + "\n";
  }
  return out;
}

Json::Value parse_file(const std::string& path) {
  std::ifstream in(path);
  return parse_json(std::string(std::istreambuf_iterator<char>(in), {}));
}

// RTLD_NODELETE as in the host: arrays may outlive everything.
const bay_plugin& load(const std::string& file) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) throw Error(Code::kConfig, dlerror());
  const auto entry = reinterpret_cast<bay_plugin_entry>(dlsym(library, BAY_PLUGIN_ENTRY));
  return *entry(test::FakeHost::table());
}

TEST(Conformance, APluginInCPasses) {
  const std::string base = std::string(getenv("PATCHBAY_BUILD_DIR")) + "/tests/plugins/counter";
  const auto results = test::run_conformance(load(base + ".so"), parse_file(base + ".json"));
  EXPECT_EQ(failures_of(results), "");
  EXPECT_GT(results.size(), 15u);
}

// What was released is spoilt for whoever still reads it, seen through a slice that keeps it alive.
TEST(Conformance, ReleasedArraysAreCountedAndSpoilt) {
  Batch whole = sample::numbers(sample::number_schema(), {1, 2});
  const auto count = std::make_shared<test::ReleaseCount>();
  test::guard(whole.slice(0, 2), count);
  EXPECT_EQ(count->given, 1);
  EXPECT_EQ(count->released, 1);
  EXPECT_NE(BatchView(whole).column<Int64View>(0)[0], 1);
}

}  // namespace
}  // namespace patchbay
