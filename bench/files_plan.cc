// Plans a folder of files as an idle run does, where all were read by earlier runs and the host
// knows so from a hash table: `files_plan FOLDER ROUNDS` prints the median of the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <unordered_set>
#include <vector>

#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace {

using namespace patchbay;

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

bool learning = true;
std::unordered_set<std::string, Hash, std::equal_to<>> done;

int32_t is_done(bay_call*, bay_str id) {
  const std::string_view name(id.data, id.size);
  if (learning) done.emplace(name);
  return done.contains(name) ? 1 : 0;
}

double plan_ms(test::SourceDriver& source) {
  const auto start = std::chrono::steady_clock::now();
  source.plan();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  bay_host table = *test::FakeHost::table();
  table.is_done = is_done;
  test::FakeHost host;
  Json::Value config;
  config["path"] = std::string(argv[1]) + "/*.csv";
  config["select"] = "new";
  config["order"] = "name";
  test::SourceDriver source(host, *patchbay_plugin_v1(&table), "files", config);
  plan_ms(source);
  learning = false;
  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[2]); ++i) times.push_back(plan_ms(source));
  std::sort(times.begin(), times.end());
  std::printf("%zu files, none new: %.1f ms (median), %.1f ms (least)\n", done.size(),
              times[times.size() / 2], times[0]);
}
