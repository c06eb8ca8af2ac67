// Another program, for its output.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

struct ProgramResult {
  enum class Outcome { kExited, kSignalled, kNotStarted, kLate, kTooLarge, kCancelled };
  Outcome outcome = Outcome::kExited;
  int code = 0;        // exit code, signal or errno
  std::string output;  // of kExited and kSignalled

  bool ok() const { return outcome == Outcome::kExited && code == 0; }
};

// `words` are the program's whole path and its arguments. No shell, no input; what it says on
// stderr is dropped. What is not done within `timeout`, or prints more than `most_output` bytes, is
// killed with its children.
ProgramResult run_program(std::vector<std::string> words, std::chrono::milliseconds timeout,
                          size_t most_output);

// The same, and what it prints is given to `take` as it comes, until that returns false (kTooLarge)
// or throws: then the program is killed, too.
ProgramResult run_program(std::vector<std::string> words, std::chrono::milliseconds timeout,
                          const std::function<bool(std::string_view)>& take);

// Kills every program that runs, with its children, and starts no more: kCancelled. Any thread.
void end_programs();
// Kills those that run; for signal handlers.
void kill_programs();

}  // namespace patchbay::host
