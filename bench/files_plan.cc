// How long a source of local files takes to see that nothing is new: `files_plan [FILES [ROUNDS]]`.
//
// All files of one folder were read by earlier runs, and the host knows so from a hash table.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unordered_set>

#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace {

using namespace patchbay;
namespace fs = std::filesystem;

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
std::unordered_set<std::string, Hash, std::equal_to<>> done;

int32_t is_done(bay_call*, bay_str id) {
  return done.contains(std::string_view(id.data, id.size)) ? 1 : 0;
}

double plan_ms(test::SourceDriver& source, size_t expected) {
  const auto start = std::chrono::steady_clock::now();
  const auto splits = source.plan();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (splits.size() != expected) throw Error(Code::kInternal, "another number of splits");
  for (const auto& split : splits) {
    if (split.isMember("id")) done.insert(split["id"].asString());
  }
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  const int files = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  char name[] = "/tmp/patchbay-plan-XXXXXX";
  const fs::path folder = mkdtemp(name);
  for (int i = 0; i < files; ++i)
    std::ofstream(folder / ("orders-" + std::to_string(i) + ".csv")) << "id\n1\n";

  bay_host host_table = *test::FakeHost::table();
  host_table.is_done = is_done;
  test::FakeHost host;
  Json::Value config;
  config["path"] = (folder / "*.csv").string();
  config["select"] = "new";
  config["order"] = "name";
  test::SourceDriver source(host, *patchbay_plugin_v1(&host_table), "files", config);
  std::printf("%d files, all new: %.1f ms\n", files, plan_ms(source, static_cast<size_t>(files)));
  std::vector<double> idle;
  for (int i = 0; i < rounds; ++i) idle.push_back(plan_ms(source, 1));
  std::sort(idle.begin(), idle.end());
  std::printf("%d files, none new: %.1f ms (median), %.1f ms (least)\n", files,
              idle[idle.size() / 2], idle[0]);
  fs::remove_all(folder);
}
