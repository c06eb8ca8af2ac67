// The suite passes what is sound, and each fault fails the check that is there for it.
#include "patchbay/testing/conformance.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
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

constexpr const char* kManifest = R"json({"id": "sample", "version": "1.0.0", "components": [
  {"name": "count", "kind": "source", "conformance": {"config": {"rows": 4}, "self_contained": true},
   "config": {"required": ["rows"], "properties": {"rows": {"type": "integer"}}}},
  {"name": "double", "kind": "transform", "conformance": {}, "config": {}},
  {"name": "keep", "kind": "sink", "conformance": {"config": {"folder": "${tmp}"}}, "config": {}}]})json";

class Faults : public ::testing::Test {
 protected:
  ~Faults() override {
    sample::misbehave = nullptr;
    sample::lies = {};
  }
  std::string run(const Json::Value& manifest) {
    sample::store = {};
    return failures_of(test::run_conformance(
        *make_plugin(test::FakeHost::table(), "sample", "1.0.0",
                     {component<sample::Count>("count"), component<sample::Double>("double"),
                      component<sample::Keep>("keep")}),
        manifest));
  }
  Json::Value manifest_ = parse_json(kManifest);
};

TEST_F(Faults, NoneInASoundPlugin) { EXPECT_EQ(run(manifest_), ""); }

TEST_F(Faults, ManifestOfAnother) {
  manifest_["version"] = "2.0.0";
  EXPECT_EQ(run(manifest_),
            "id, version and components are the manifest's: version: the manifest says 2.0.0, "
            "the plugin says 1.0.0\n");
}

TEST_F(Faults, AnOptionThatIsRequiredInTheManifestOnly) {
  manifest_["components"][1]["config"]["required"].append("factor");
  EXPECT_EQ(run(manifest_), "transform double: refuses to do without factor: succeeds\n");
}

TEST_F(Faults, EachIsSeen) {
  const struct {
    const char* claim;
    std::function<void(Call&)> fault;
    const char* expected;
  } cases[] = {
      {"writes to stdout", [](Call&) { (void)!write(STDOUT_FILENO, "hello", 5); },
       "writes nothing to stdout or stderr: it wrote: hello"},
      {"sets a variable", [](Call&) { setenv("PATCHBAY_TEST_FAULT", "1", 1); },
       "leaves the environment alone"},
      {"changes the folder", [](Call&) { (void)!chdir("/"); },
       "leaves the working directory alone"},
      {"takes a signal", [](Call&) { signal(SIGUSR2, SIG_IGN); }, "leaves signals alone"},
      {"throws what is no error", [](Call&) { throw std::runtime_error("bug"); },
       "source count: reads streams before batches and valid arrays: bug"},
      {"is confused when cancelled",
       [](Call& call) {
         if (call.cancelled()) throw std::runtime_error("confused");
       },
       "source count: returns within a second when cancelled: confused"},
  };
  const std::string folder = std::filesystem::current_path();
  for (const auto& c : cases) {
    sample::misbehave = c.fault;
    EXPECT_THAT(run(manifest_), ::testing::HasSubstr(c.expected)) << c.claim;
    unsetenv("PATCHBAY_TEST_FAULT");
    std::filesystem::current_path(folder);
    signal(SIGUSR2, SIG_DFL);
  }
}

TEST_F(Faults, LiesAreFoundOut) {
  const struct {
    const char* claim;
    sample::Lies lies;
    const char* expected;
  } cases[] = {
      {"accepts one too many",
       {.rows_accepted = 1},
       "sink keep: accepts what was delivered and not rejected: rows_accepted is 7 where 6 rows"},
      {"starts over in spite of its state",
       {.forgets_state = true},
       "source count: has nothing more after its last state: rows come again"},
      {"starts over in spite of its state",
       {.forgets_state = true},
       "source count: resumes from each of its states without loss: rows are lost or doubled"},
      {"swallows what comes in",
       {.swallows_input = true},
       "transform double: takes a sample, with streams before batches and valid arrays: "
       "takes no sample; rows: no rows came out"},
      {"writes at once",
       {.writes_at_once = true},
       "sink keep: shows nothing of what was aborted: what is prepared can be seen"},
      {"writes at once",
       {.writes_at_once = true},
       "sink keep: drops what was not prepared: something stays visible"},
      {"is behind from the second row on",
       {.state_lags = true},
       "resumes from each of its states without loss: rows are lost or doubled in split all after "
       "state 2"},
      {"is ahead before the first row",
       {.state_leads = true},
       "source count: reads all after the state of a reader that read nothing: rows are lost"},
      {"skips a row at each commit",
       {.skips_at_commit = true},
       "source count: is told of commits without losing its place: other rows come"},
      {"is confused by a value",
       {.crashes_at_zero = true},
       "source count: survives any option out of its range: rows: 0: zero"},
#ifndef __SANITIZE_ADDRESS__  // which has a heap of its own
      {"leaks", {.leaks = true}, "source count: keeps no memory of what was destroyed: "},
#endif
      {"keeps an array",
       {.keeps_arrays = true},
       "sink keep: releases each array that it is given once: "},
      {"forgets to abort",
       {.forgets_abort = true},
       "sink keep: shows nothing when a commit comes after the abort: rows of it can be seen"},
      {"takes back",
       {.deletes_committed = true},
       "sink keep: keeps what is committed when it is aborted: what was committed is gone"},
  };
  for (const auto& c : cases) {
    sample::lies = c.lies;
    EXPECT_THAT(run(manifest_), ::testing::HasSubstr(c.expected)) << c.claim;
    sample::kept.clear();
    sample::leaked.clear();
  }
}

TEST_F(Faults, AFileThatStaysOpenIsSeen) {
  std::vector<int> files;
  sample::misbehave = [&](Call&) { files.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC)); };
  EXPECT_THAT(run(manifest_), ::testing::HasSubstr("leaves no file, socket or thread behind: "));
  for (const int file : files) close(file);
}

TEST_F(Faults, EveryCheckSaysWhyAndWhere) {
  sample::store = {};
  for (const auto& result : test::run_conformance(
           *make_plugin(test::FakeHost::table(), "sample", "1.0.0",
                        {component<sample::Count>("count"), component<sample::Double>("double"),
                         component<sample::Keep>("keep")}),
           manifest_)) {
    EXPECT_FALSE(result.why.empty() || result.contract.empty()) << result.name;
  }
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

// The C++ library is all that a plugin's file must not be.
TEST(Conformance, FaultsOfAFileAreSeen) {
  Dl_info library{};
  ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, "_ZSt9terminatev"), &library), 0);
  const auto results = test::check_file(library.dli_fname);
  const std::string failures = failures_of(results);
  for (const char* expected :
       {"exports its entry and nothing else: exports ",
        "has no unique symbol: ", "calls nothing that changes the process: it calls "})
    EXPECT_THAT(failures, ::testing::HasSubstr(expected));
  for (const auto& result : results) EXPECT_NE(result.why, "") << result.name;
}

TEST(Conformance, AnIncompleteTableIsNamed) {
  bay_component source = *component<sample::Count>("count");
  bay_reader_vt reader = *source.reader;
  reader.close = nullptr;
  source.reader = &reader;
  const auto results = test::run_conformance(
      *make_plugin(test::FakeHost::table(), "sample", "1.0.0", {&source}), parse_json(kManifest));
  EXPECT_EQ(failures_of(results), "its tables are whole: bay_reader_vt lacks close\n");
}

}  // namespace
}  // namespace patchbay
