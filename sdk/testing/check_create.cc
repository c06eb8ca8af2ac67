// What holds for every component, with or without its system.
#include <algorithm>
#include <memory>
#include <thread>

#include "patchbay/json_value.h"
#include "process_watch.h"
#include "suite.h"

namespace patchbay::test {
namespace {

// A host, a folder and a complete configuration: what a check begins with.
struct Bench {
  explicit Bench(const Subject& tested)
      : subject(tested), config(complete_config(tested.manifest, folder)) {
    host.any_secret = "conformance";
  }
  std::unique_ptr<ComponentDriver> create(const Json::Value& options) {
    return create_from(write_json(options));
  }
  std::unique_ptr<ComponentDriver> create_from(const std::string& json) {
    return std::make_unique<ComponentDriver>(host, *subject.component, json);
  }

  const Subject& subject;
  FakeHost host;
  CheckFolder folder;
  Json::Value config;
};

void require_config_error(const std::function<void()>& work, const std::string& start) {
  try {
    work();
  } catch (const Error& error) {
    require(error.code() == Code::kConfig,
            "fails with another class than BAY_E_CONFIG: " + std::string(error.what()));
    require(std::string_view(error.what()).starts_with(start),
            "the message does not start with '" + start + "': " + error.what());
    return;
  }
  require(false, "succeeds");
}

void creates_without_io(const Subject& subject) {
  Bench bench(subject);
  const Handles before = open_handles();
  const auto object = bench.create(bench.config);
  const Handles after = open_handles();  // fewer where what an earlier call left has ended since
  require(std::includes(before.files.begin(), before.files.end(), after.files.begin(),
                        after.files.end()) &&
              after.threads <= before.threads,
          "create opened a file, a socket or a thread");
  require(std::filesystem::is_empty(bench.folder.path()), "create made files");
}

void stands_side_by_side(const Subject& subject) {
  Bench bench(subject);
  auto first = bench.create(bench.config);
  const auto second = bench.create(bench.config);
  first.reset();
  second->interrupt();
}

void returns_when_cancelled(const Subject& subject) {
  Bench bench(subject);
  const auto object = bench.create(bench.config);
  bench.host.cancel();
  require_prompt([&] { object->check(); });
}

void takes_interrupt_from_any_thread(const Subject& subject) {
  Bench bench(subject);
  const auto object = bench.create(bench.config);
  bench.host.cancel();
  std::thread other([&] { object->interrupt(); });
  std::exception_ptr failure;
  try {
    refusal_of([&] { object->check(); });
  } catch (...) {
    failure = std::current_exception();
  }
  other.join();
  if (failure) std::rethrow_exception(failure);
}

void refuses_without(const Subject& subject, const std::string& option) {
  Bench bench(subject);
  bench.config.removeMember(option);
  require_config_error([&] { bench.create(bench.config); }, option);
}

}  // namespace

void check_create(Suite& suite, const Subject& subject) {
  const std::string label = subject.label + ": ";
  suite.check(label + "is created without I/O", [&] { creates_without_io(subject); });
  for (const char* text : {"{\"a\": ", "[]"}) {
    suite.check(label + "refuses the configuration " + text, [&] {
      Bench bench(subject);
      require_config_error([&] { bench.create_from(text); }, "");
    });
  }
  for (const auto& option : subject.manifest["config"]["required"]) {
    suite.check(label + "refuses to do without " + option.asString(),
                [&] { refuses_without(subject, option.asString()); });
  }
  suite.check(label + "stands beside another of its kind", [&] { stands_side_by_side(subject); });
  suite.check(label + "returns within a second when cancelled",
              [&] { returns_when_cancelled(subject); });
  suite.check(label + "is interrupted from another thread",
              [&] { takes_interrupt_from_any_thread(subject); });
}

}  // namespace patchbay::test
