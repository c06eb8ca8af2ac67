// A source and a sink in this process, for tests of the engine's parts: they write down what they
// are asked, and do what the test says.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "patchbay/error.h"
#include "patchbay/plugin.h"

namespace patchbay::host {

// By node, which its option `name` names.
class FakeSystems {
 public:
  FakeSystems();
  ~FakeSystems();
  FakeSystems(const FakeSystems&) = delete;
  FakeSystems& operator=(const FakeSystems&) = delete;

  static FakeSystems& current();  // the one that lives

  // "t1 commit TXN", in the order in which the calls came.
  std::vector<std::string> calls() const;
  void forget_calls();
  // Writes it down, and throws if a failure is due.
  void called(const std::string& node, const std::string& call, const std::string& argument);
  // The next such call fails; further ones after it.
  void fail(const std::string& node, const std::string& call, Code code);

  std::map<std::string, Outcome> outcomes;           // of sinks; unknown where there is none
  std::map<std::string, Json::Value> steps;          // that a sink plans for a schema
  std::map<std::string, std::vector<Split>> splits;  // of sources

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::map<std::string, std::deque<Code>> failures_;  // by "NODE CALL"
};

// The plugins `fake` (source rows, transform all, sink table), `forgetful` (its sink loses what is
// prepared with the process) and `alone` (its sink commits one lane at a time).
const bay_plugin* fake_plugin();
// Their components as their manifests have them, by plugin.
const std::map<std::string, std::string>& fake_manifests();

}  // namespace patchbay::host
