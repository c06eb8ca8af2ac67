// A store in memory passes what every store has to.
#include "memory_store.h"

#include "patchbay/testing/object_action_suite.h"
#include "patchbay/testing/object_sink_suite.h"
#include "patchbay/testing/object_source_suite.h"

namespace patchbay::test {
namespace {

struct MemoryBench {
  MemoryBench() { bucket = {}; }
  static const bay_plugin& plugin() {
    return *make_plugin(FakeHost::table(), "memory", "1",
                        {patchbay::component<SourceOf<MemoryStore>>("memory"),
                         patchbay::component<SinkOf<MemoryStore>>("memory")});
  }
  static Json::Value config(const std::string& path) {
    Json::Value out;
    out["path"] = path;
    return out;
  }
  static std::string uri(const std::string& name) { return "memory:" + name; }
  void put(const std::string& name, const std::string& text) const {
    bucket.visible[name] = {text, "", ++bucket.versions};
  }
  std::string get(const std::string& name) const { return bucket.visible.at(name).text; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [key, object] : bucket.visible) out.push_back(key);
    return out;
  }
  size_t leftovers() const { return bucket.invisible.size(); }

  std::string component = "memory";
  MemoryBucket& bucket = the_bucket;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ObjectSources, MemoryBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ObjectActions, MemoryBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ObjectSinks, MemoryBench);

}  // namespace
}  // namespace patchbay::test
