// Configurations that the manifest's schema refuses or barely lets through, and many lives of one
// component.
#include <malloc.h>

#include <atomic>
#include <thread>

#include "patchbay/json_value.h"
#include "suite.h"

namespace patchbay::test {
namespace {

constexpr size_t kMostGrowth = 64 << 10;  // of the heap, in as many lives
constexpr int kLives = 200;

// Creates, and takes a refusal for an answer; anything but BAY_E_CONFIG is a fault.
void survives(const Subject& subject, const Json::Value& config) {
  FakeHost host;
  host.any_secret = "conformance";
  const auto refusal = refusal_of(
      [&] { const ComponentDriver object(host, *subject.component, write_json(config)); });
  require(!refusal || refusal->code() == Code::kConfig,
          "create fails with another class than BAY_E_CONFIG: " +
              std::string(refusal ? refusal->what() : ""));
}

// Every option in turn with every one of the values.
void survives_each(const Subject& subject, const std::vector<Json::Value>& values) {
  const CheckFolder folder;
  const Json::Value whole = complete_config(subject.manifest, folder);
  for (const auto& option : subject.manifest["config"]["properties"].getMemberNames()) {
    for (const auto& value : values) {
      Json::Value config = whole;
      config[option] = value;
      try {
        survives(subject, config);
      } catch (const Error& error) {
        throw Error(Code::kInternal,
                    option + ": " + write_json(value).substr(0, 40) + ": " + error.what());
      }
    }
  }
}

Json::Value nested(int depth) {
  Json::Value value(1);
  for (int i = 0; i < depth; ++i) {
    Json::Value outer(Json::arrayValue);
    outer.append(value);
    value = outer;
  }
  return value;
}

void survives_unknown_option(const Subject& subject) {
  const CheckFolder folder;
  Json::Value config = complete_config(subject.manifest, folder);
  config["no such option"] = 1;
  survives(subject, config);
}

size_t heap() { return mallinfo2().uordblks; }

void keeps_no_memory(const Subject& subject) {
  const CheckFolder folder;
  const std::string config = write_json(complete_config(subject.manifest, folder));
  FakeHost host;
  host.any_secret = "conformance";
  const auto live = [&] { const ComponentDriver object(host, *subject.component, config); };
  for (int i = 0; i < kLives; ++i) live();  // what is made once and kept
  const size_t before = heap();
  for (int i = 0; i < kLives; ++i) live();
  const size_t after = heap();
  require(after < before + kMostGrowth, std::to_string(after - before) + " bytes are left of " +
                                            std::to_string(kLives) + " components");
}

void bears_interrupts(const Subject& subject) {
  const CheckFolder folder;
  FakeHost host;
  host.any_secret = "conformance";
  const ComponentDriver object(host, *subject.component,
                               write_json(complete_config(subject.manifest, folder)));
  host.cancel();
  std::atomic<bool> done = false;
  std::thread storm([&] {
    do {
      object.interrupt();
    } while (!done);
  });
  std::exception_ptr failure;
  try {
    refusal_of([&] {
      FakeCall call(host);
      if (BAY_HAS(object.table().common, bay_component_vt, check))
        call.check(object.table().common->check(call.raw(), object.raw()));
    });
  } catch (...) {
    failure = std::current_exception();
  }
  done = true;
  storm.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void check_config(Suite& suite, const Subject& subject) {
  const std::string label = subject.label + ": ";
  const std::pair<const char*, std::vector<Json::Value>> faults[] = {
      {"survives any option of another type",
       {true, 1, 0.5, "x", Json::Value(Json::arrayValue), Json::Value(Json::objectValue)}},
      {"survives any option that is null", {Json::Value()}},
      {"survives any option out of its range",
       {Json::Int64(INT64_MIN), Json::Int64(INT64_MAX), Json::UInt64(UINT64_MAX), 1e300, -1, 0}},
      {"survives unknown, empty and long words in any option",
       {"", "no such value", std::string(1 << 16, 'x'), std::string("\0\x01", 2)}},
      {"survives deep nesting in any option", {nested(100)}},
  };
  for (const auto& [name, values] : faults)
    suite.check(label + name, [&, given = values] { survives_each(subject, given); });
  suite.check(label + "survives an option that it does not know",
              [&] { survives_unknown_option(subject); });
  suite.check(label + "keeps no memory of what was destroyed", [&] { keeps_no_memory(subject); });
  suite.check(label + "bears a storm of interrupts", [&] { bears_interrupts(subject); });
}

}  // namespace patchbay::test
