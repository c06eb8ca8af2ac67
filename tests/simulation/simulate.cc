// Plays random histories until time is up, or one fails.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "simulation/batches.h"
#include "simulation/disk.h"
#include "simulation/planted.h"
#include "simulation/plugins.h"

namespace patchbay::simulation {
namespace {

struct Arguments {
  Batches batches;
  std::string bug, planted_to, planted_from;
  bool lists = false;
};

int usage() {
  std::fprintf(stderr,
               "simulate [--seed S] [--seconds N | --histories N] [--jobs N] [--story] [--trace]\n"
               "         [--bug NAME | --list-bugs | --planted PAGE | --find-planted PAGE]\n"
               "--seed S --histories 1 --story  replays one history\n"
               "--bug NAME                      plants a bug first: tests/simulation/PLANTED.md\n"
               "--planted PAGE                  searches for each bug, and writes the page\n"
               "--find-planted PAGE             searches from the page's seeds on\n");
  return 2;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  Batches& batches = arguments.batches;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--list-bugs") {
      arguments.lists = true;
    } else if (option == "--trace") {
      batches.traces = true;
    } else if (option == "--story") {
      batches.stories = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (option == "--seed") {
      batches.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--seconds") {
      batches.seconds = std::atof(argv[++i]);
    } else if (option == "--histories") {
      batches.histories = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--jobs") {
      batches.jobs = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    } else if (option == "--bug") {
      arguments.bug = argv[++i];
    } else if (option == "--planted") {
      arguments.planted_to = argv[++i];
    } else if (option == "--find-planted") {
      arguments.planted_from = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

void report(const Played& played) {
  const Totals& totals = played.totals;
  std::printf(
      "%llu histories, %llu of pipelines that validate refuses, %llu schedules, %llu steps, "
      "%.1f s, %.0f schedules a second, hash %016llx\n",
      static_cast<unsigned long long>(totals.histories),
      static_cast<unsigned long long>(totals.refused), static_cast<unsigned long long>(totals.runs),
      static_cast<unsigned long long>(totals.steps), played.seconds,
      static_cast<double>(totals.runs) / played.seconds,
      static_cast<unsigned long long>(totals.hash));
}

int play_given(const Arguments& arguments) {
  const Played played = play_all(arguments.batches);
  report(played);
  if (!played.failed) return 0;
  const std::string bug = arguments.bug.empty() ? "" : " --bug " + arguments.bug;
  std::printf("to replay it: ./dev simulate --seed %llu --histories 1 --story%s\n",
              static_cast<unsigned long long>(*played.failed), bug.c_str());
  return 1;
}

int run(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  if (arguments.lists) {
    list_bugs();
    return 0;
  }
  if (!arguments.bug.empty() && !plant(arguments.bug)) {
    std::fprintf(stderr, "there is no bug %s; --list-bugs names them\n", arguments.bug.c_str());
    return 2;
  }
  install_disk_in_sqlite();
  simulated_catalog();  // once, for all children
  arguments.batches.quiet = !arguments.planted_to.empty() || !arguments.planted_from.empty();
  if (!arguments.planted_to.empty())
    return write_planted(arguments.planted_to, arguments.batches) ? 0 : 1;
  if (!arguments.planted_from.empty())
    return find_planted(arguments.planted_from, arguments.batches) ? 0 : 1;
  return play_given(arguments);
}

}  // namespace
}  // namespace patchbay::simulation

int main(int argc, char** argv) { return patchbay::simulation::run(argc, argv); }
