// Each fault of a component fails the check that is there for it, and there is a fault for each
// check.
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <clocale>
#include <filesystem>
#include <set>

#include "patchbay/json_value.h"
#include "patchbay/testing/conformance.h"
#include "patchbay/testing/fake_host.h"
#include "sample_components.h"
#include "sample_faults.h"

namespace patchbay {
namespace {

using sample::Fault;
using ::testing::HasSubstr;

constexpr const char* kManifest = R"json({"id": "sample", "version": "1.0.0", "components": [
  {"name": "count", "kind": "source", "conformance": {"config": {"rows": 4}, "self_contained": true},
   "config": {"required": ["rows"], "properties": {"rows": {"type": "integer"}}}},
  {"name": "double", "kind": "transform", "conformance": {},
   "config": {"properties": {"rows": {"type": "integer"}}}},
  {"name": "keep", "kind": "sink", "conformance": {"config": {"folder": "${tmp}"}},
   "config": {"properties": {"rows": {"type": "integer"}}}}]})json";

std::vector<const bay_component*> sound() {
  return {component<sample::Count>("count"), component<sample::Double>("double"),
          component<sample::Keep>("keep")};
}

std::vector<test::CheckResult> run(const std::vector<const bay_component*>& components = sound(),
                                   const Json::Value& manifest = parse_json(kManifest)) {
  sample::store = {};
  return test::run_conformance(*make_plugin(test::FakeHost::table(), "sample", "1.0.0", components),
                               manifest);
}

std::string failures_of(const std::vector<test::CheckResult>& results) {
  std::string out;
  for (const auto& result : results) {
    if (!result.ok) out += result.name + ": " + result.message + "\n";
  }
  return out;
}

// A component with functions that the C++ classes would not let through.
struct Replaced {
  explicit Replaced(const bay_component* sound) : component(*sound), common(*sound->common) {
    component.common = &common;
    if (!sound->reader) return;
    reader = *sound->reader;
    component.reader = &reader;
  }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

  bay_component component;
  bay_component_vt common;
  bay_reader_vt reader{};
};

template <class T>
bay_status create_from_anything(bay_call* call, bay_context* context, bay_str, bay_object** out) {
  constexpr std::string_view kSound = R"({"rows": 4})";
  return component<T>("")->common->create(call, context, {kSound.data(), kSound.size()}, out);
}

bay_status write_behind_the_event(bay_call* call, bay_reader* reader, bay_event* out) {
  const bay_status status = sound()[0]->reader->next(call, reader, out);
  if (out->struct_size > sizeof *out) *reinterpret_cast<uint64_t*>(out + 1) = 0;
  return status;
}

std::function<void(const Config&)> stumbles_at(bool (*odd)(const Json::Value&)) {
  return [odd](const Config& config) {
    if (odd(config.root()["rows"])) throw std::runtime_error("odd");
  };
}

std::vector<int> opened;  // files
void leave_open() { opened.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::vector<Fault> configuration_faults() {
  return {
      {"opens a file in create",
       {.on_create = [](const Config&) { leave_open(); }},
       {"* is created without I/O: create opened a file, a socket or a thread",
        "leaves no file, socket or thread behind: "}},
      {"wants to be alone",
       {.on_create =
            [](const Config&) {
              if (sample::living > 0) throw std::runtime_error("another one lives");
            }},
       {"* stands beside another of its kind: another one lives"}},
      {"is confused by another type",
       {.on_create = stumbles_at([](const Json::Value& rows) { return rows.isBool(); })},
       {"* survives any option of another type: rows: true: odd"}},
      {"is confused by null",
       {.on_create =
            [](const Config& config) {
              if (config.root().isMember("rows") && config.root()["rows"].isNull())
                throw std::runtime_error("odd");
            }},
       {"* survives any option that is null: rows: null: odd"}},
      {"is confused by a value",
       {.on_create = stumbles_at(
            [](const Json::Value& rows) { return rows.isUInt64() && rows.asUInt64() == 0; })},
       {"* survives any option out of its range: rows: 0: odd"}},
      {"is confused by a word",
       {.on_create = stumbles_at([](const Json::Value& rows) { return rows == "no such value"; })},
       {"* survives unknown, empty and long words in any option: "}},
      {"is confused by nesting",
       {.on_create =
            stumbles_at([](const Json::Value& rows) { return rows.isArray() && !rows.empty(); })},
       {"* survives deep nesting in any option: "}},
      {"is confused by an option",
       {.on_create =
            [](const Config& config) {
              if (config.has("no such option")) throw std::runtime_error("odd");
            }},
       {"* survives an option that it does not know: odd"}},
#ifndef __SANITIZE_ADDRESS__  // which has a heap of its own
      {"leaks",
       {.on_create = [](const Config&) { sample::leaked.emplace_back(1024, 'x'); }},
       {"* keeps no memory of what was destroyed: "}},
      {"leaks readers",
       {.leaks_readers = true},
       {"source count: keeps no memory of what was closed: "}},
      {"reads what it gave back",
       {.reads_after_release = true},
       {"sink keep: uses no array that it has released: ",
        "transform double: uses no array that it has released: "}},
#endif
  };
}

std::vector<Fault> process_faults() {
  return {
      {"writes to stdout",
       {},
       {"writes nothing to stdout or stderr: it wrote: hello"},
       [](Call&) { (void)!write(STDOUT_FILENO, "hello", 5); }},
      {"sets a variable",
       {},
       {"leaves the environment alone: "},
       [](Call&) { setenv("PATCHBAY_TEST_FAULT", "1", 1); }},
      {"changes the folder",
       {},
       {"leaves the working directory alone: it is now /"},
       [](Call&) { (void)!chdir("/"); }},
      {"changes the locale",
       {},
       {"leaves the locale alone: "},
       [](Call&) { std::setlocale(LC_ALL, "C.UTF-8"); }},
      {"takes a signal", {}, {"leaves signals alone: "}, [](Call&) { signal(SIGUSR2, SIG_IGN); }},
      {"throws what is no error",
       {},
       {"source count: reads streams before batches and valid arrays: bug"},
       [](Call&) { throw std::runtime_error("bug"); }},
      {"hates interrupts",
       {.hates_interrupts = true},
       {"* is interrupted from another thread: interrupted",
        "* bears a storm of interrupts: interrupted"}},
      {"is confused when cancelled",
       {.confused_when_cancelled = true},
       {"* returns within a second when cancelled: confused",
        "source count: stops within a second when cancelled amid a split: confused",
        "transform double: stops within a second when cancelled amid a stream: confused",
        "sink keep: stops within a second when cancelled amid a write: confused"},
       [](Call& call) {
         if (call.cancelled()) throw std::runtime_error("confused");
       }},
      {"is slow when cancelled",
       {},
       {"source count: returns within a second when cancelled: returned 1"},
       [](Call& call) {
         if (call.cancelled() && sample::plans++ == 0) poll(nullptr, 0, 1100);
       }},
  };
}

class Faults : public ::testing::Test {
 protected:
  ~Faults() override { mend(); }

  void mend() {
    sample::misbehave = nullptr;
    sample::lies = {};
    sample::kept.clear();
    sample::leaked.clear();
    sample::plans = 0;
    for (const int file : opened) close(file);
    opened.clear();
    unsetenv("PATCHBAY_TEST_FAULT");
    std::filesystem::current_path(folder_);
    signal(SIGUSR2, SIG_DFL);
    std::setlocale(LC_ALL, "C");
  }

  void expect(const std::vector<test::CheckResult>& results, const std::string& expected) {
    const std::string failures = failures_of(results);
    if (expected[0] == '*') {
      for (const char* label : {"source count:", "transform double:", "sink keep:"})
        EXPECT_THAT(failures, HasSubstr(label + expected.substr(1)));
    } else {
      EXPECT_THAT(failures, HasSubstr(expected));
    }
    for (const auto& result : results) {
      if (!result.ok) failed_.insert(result.name);
    }
  }

  void expect_each(const std::vector<Fault>& faults) {
    for (const auto& fault : faults) {
      SCOPED_TRACE(fault.claim);
      sample::lies = fault.lies;
      sample::misbehave = fault.misbehave;
      const auto results = run();
      for (const auto& expected : fault.expected) expect(results, expected);
      mend();
    }
  }

  void expect_replaced() {
    Replaced count(sound()[0]), twice(sound()[1]), keep(sound()[2]);
    count.common.create = create_from_anything<sample::Count>;
    twice.common.create = create_from_anything<sample::Double>;
    keep.common.create = create_from_anything<sample::Keep>;
    count.reader.next = write_behind_the_event;
    const auto results = run({&count.component, &twice.component, &keep.component});
    for (const char* expected :
         {"* refuses the configuration {\"a\": : succeeds",
          "* refuses the configuration []: succeeds",
          "source count: refuses to do without rows: succeeds",
          "source count: writes no further than the event that it was given: next wrote behind"})
      expect(results, expected);
  }

  void expect_of_whole_plugins() {
    Json::Value manifest = parse_json(kManifest);
    manifest["version"] = "2.0.0";
    expect(run(sound(), manifest),
           "id, version and components are the manifest's: version: the manifest says 2.0.0, "
           "the plugin says 1.0.0\n");
    Replaced count(sound()[0]);
    count.reader.close = nullptr;
    expect(run({&count.component}), "its tables are whole: bay_reader_vt lacks close\n");
  }

  const std::filesystem::path folder_ = std::filesystem::current_path();
  std::set<std::string> failed_;
};

TEST_F(Faults, NoneInASoundPlugin) { EXPECT_EQ(failures_of(run()), ""); }

TEST_F(Faults, AnOptionThatIsRequiredInTheManifestOnly) {
  Json::Value manifest = parse_json(kManifest);
  manifest["components"][1]["config"]["required"].append("factor");
  EXPECT_EQ(failures_of(run(sound(), manifest)),
            "transform double: refuses to do without factor: succeeds\n");
}

TEST_F(Faults, EachIsSeenAndEachCheckHasOne) {
  expect_each(configuration_faults());
  expect_each(process_faults());
  expect_each(sample::reader_faults());
  expect_each(sample::sink_faults());
  expect_replaced();
  expect_of_whole_plugins();
  const auto results = run();
  EXPECT_GE(results.size(), 60u);
  for (const auto& result : results) {
    EXPECT_FALSE(result.why.empty() || result.contract.empty()) << result.name;
#ifndef __SANITIZE_ADDRESS__
    EXPECT_TRUE(failed_.contains(result.name)) << "nothing makes this check fail: " << result.name;
#endif
  }
}

// The C++ library is much that a plugin's file must not be, bad_file.so is the rest.
TEST_F(Faults, OfAFileAreSeen) {
  Dl_info library{};
  ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, "_ZSt9terminatev"), &library), 0);
  const std::string bad = std::string(getenv("PATCHBAY_BUILD_DIR")) + "/tests/plugins/bad_file.so";
  auto results = test::check_file(library.dli_fname);
  for (const auto& result : test::check_file(bad)) results.push_back(result);
  for (const char* expected :
       {"exports its entry and nothing else: exports ",
        "has no unique symbol: ", "needs no executable stack: its stack is executable",
        "needs no relocation of its text: it has DT_TEXTREL",
        "asks for no place before other libraries: its DT_FLAGS_1 are ",
        "is searched for in whole paths only: it has the path lib",
        "calls nothing that changes the process: it calls "})
    expect(results, expected);
  for (const auto& result : results) {
    EXPECT_NE(result.why, "") << result.name;
    EXPECT_TRUE(failed_.contains(result.name)) << "nothing makes this check fail: " << result.name;
  }
}

}  // namespace
}  // namespace patchbay
