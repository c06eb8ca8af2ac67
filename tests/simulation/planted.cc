#include "simulation/planted.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "simulation/planted_body.h"

namespace patchbay::simulation {
namespace {

struct BugName {
  const char* name;
  const char* words;
  Bug bug;
};
constexpr BugName kBugs[] = {
#define BUG(name, words) {#name, words, Bug::name},
#include "simulation/planted_bugs.def"
#undef BUG
};

constexpr const char* kHead =
    "# Planted bugs\n\n"
    "Each of these is planted on purpose, and the simulator finds it: the seed shows it. Written\n"
    "by `simulate --planted FILE`; `planted_bugs_test` begins its search at these seeds.\n\n"
    "| bug | what is wrong | seed | schedules until it was found | seconds |\n"
    "| --- | --- | --- | --- | --- |\n";

// By name of the bug.
std::map<std::string, uint64_t> seeds_of(const std::string& page) {
  std::map<std::string, uint64_t> seeds;
  std::ifstream file(page);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string bar, name, words, seed;
    std::getline(cells, bar, '|');
    std::getline(cells, name, '`');
    std::getline(cells, name, '`');
    std::getline(cells, words, '|');
    std::getline(cells, words, '|');
    std::getline(cells, seed, '|');
    if (const uint64_t number = std::strtoull(seed.c_str(), nullptr, 10); number > 0)
      seeds[name] = number;
  }
  return seeds;
}

}  // namespace

bool plant(const std::string& name) {
  for (const auto& bug : kBugs) {
    if (name != bug.name) continue;
    planted_bug = bug.bug;
    return true;
  }
  return false;
}

void list_bugs() {
  for (const auto& bug : kBugs) std::printf("%s\t%s\n", bug.name, bug.words);
}

bool write_planted(const std::string& page, const Batches& batches) {
  std::ofstream file(page);
  file << kHead;
  bool all = true;
  for (const auto& bug : kBugs) {
    planted_bug = bug.bug;
    const Played played = play_all(batches);
    std::ostringstream cells;
    cells.precision(1);
    cells << std::fixed << "| `" << bug.name << "` | " << bug.words << " | "
          << (played.failed ? std::to_string(*played.failed) : "not found") << " | "
          << played.totals.runs << " | " << played.seconds << " |\n";
    std::printf("%s", cells.str().c_str());
    std::fflush(stdout);
    file << cells.str() << std::flush;
    all = all && played.failed;
  }
  return all;
}

bool find_planted(const std::string& page, const Batches& batches) {
  const auto seeds = seeds_of(page);
  bool all = true;
  for (const auto& bug : kBugs) {
    planted_bug = bug.bug;
    const auto seed = seeds.find(bug.name);
    if (seed == seeds.end()) {
      std::printf("%s: is not on the page\n", bug.name);
      all = false;
      continue;
    }
    Batches from = batches;
    from.seed = seed->second;
    from.histories = 1;
    if (play_all(from).failed) continue;
    from.histories = batches.histories;
    const Played played = play_all(from);
    std::printf("%s: %s\n", bug.name,
                !played.failed ? "is not found"
                               : ("is found at seed " + std::to_string(*played.failed) +
                                  ", and no longer at " + std::to_string(from.seed))
                                     .c_str());
    all = all && played.failed;
  }
  return all;
}

}  // namespace patchbay::simulation
