#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simulation/disk.h"
#include "simulation/history.h"

using namespace patchbay::simulation;

int main(int argc, char** argv) {
  uint64_t seed = 1, histories = 100;
  bool traces = false;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--seed")) seed = std::strtoull(argv[++i], nullptr, 10);
    if (!std::strcmp(argv[i], "--histories")) histories = std::strtoull(argv[++i], nullptr, 10);
    if (!std::strcmp(argv[i], "--trace")) traces = true;
  }
  install_disk_in_sqlite();
  const auto start = std::chrono::steady_clock::now();
  uint64_t runs = 0, steps = 0;
  for (uint64_t i = 0; i < histories; ++i) {
    const HistoryResult result = play(seed + i, traces);
    runs += result.runs;
    steps += result.steps;
    if (histories == 1) std::printf("hash %016llx\n", (unsigned long long)result.hash);
    if (result.failure.empty()) continue;
    std::printf("seed %llu\n", (unsigned long long)(seed + i));
    for (const auto& line : result.story) std::printf("  %s\n", line.c_str());
    std::printf("%s\n", result.failure.c_str());
    return 1;
  }
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%llu histories, %llu runs, %llu steps, %.2f s, %.0f runs/s\n",
              (unsigned long long)histories, (unsigned long long)runs, (unsigned long long)steps, s,
              runs / s);
}
