// What a plugin must leave alone in its process, before and after.
#pragma once

#include <signal.h>

#include <array>
#include <string>
#include <vector>

namespace patchbay::test {

struct ProcessState {
  std::string locale;
  std::string folder;
  std::vector<std::string> environment;
  std::array<struct sigaction, NSIG> handlers{};
};
ProcessState process_state();
bool same_handlers(const ProcessState& a, const ProcessState& b);

// Numbers of open files and of threads: what I/O would change.
struct Handles {
  std::vector<std::string> files;
  size_t threads = 0;
  bool operator==(const Handles&) const = default;
};
Handles open_handles();
// Once there are no more than `wanted`, or after a while: what a cancelled call left to itself,
// such as the lookup of a name, may take its time.
Handles settled_handles(const Handles& wanted);

// stdout and stderr go into a file in memory while it lives.
class OutputCapture {
 public:
  OutputCapture();
  ~OutputCapture();
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;
  std::string text() const;

 private:
  int memory_, stdout_, stderr_;
};

}  // namespace patchbay::test
