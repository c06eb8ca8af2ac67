// Runs a program to its end, with all that it is given and all that it says.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace patchbay::host {

struct Finished {
  int exit_code = -1;  // 128 + the signal's number where one ended it
  bool overdue = false;
  std::string out, err;
};

// The program gets these variables and no others; `input` is its whole standard input.
struct Subprocess {
  std::vector<std::string> command;  // the program's path, its arguments
  std::map<std::string, std::string> environment{};
  std::string input{};
  std::filesystem::path folder{};  // where it runs; empty = here
  // Then it is killed and `overdue` set. Generous, for sanitizers on a loaded machine.
  std::chrono::milliseconds deadline = std::chrono::seconds(60);
  bool close_output = false;  // nobody reads its stdout

  Finished run() const;
};

// build/<preset>, from PATCHBAY_BUILD_DIR, which ctest sets, or from where the test's own file is.
std::filesystem::path build_dir();
std::filesystem::path source_dir();  // from PATCHBAY_SOURCE_DIR, or beside build/

// The built program, with HOME and every PATCHBAY_ place inside `folder`: nothing of the machine's
// own configuration is seen. Options of sanitizers are passed on.
Subprocess patchbay_program(const std::vector<std::string>& arguments,
                            const std::filesystem::path& folder);

}  // namespace patchbay::host
