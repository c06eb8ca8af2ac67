#include "state/fault_hook.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "report/printed.h"

namespace patchbay::host {

FaultHook::FaultHook(const char* setting) {
  if (!setting || !*setting) return;
  std::string text = setting;
  list_ = text == "list";
  if (const size_t colon = text.find(':'); colon != std::string::npos) {
    name_ = text.substr(0, colon);
    text = text.substr(colon + 1);
  }
  kill_at_ = list_ ? 0 : std::strtoull(text.c_str(), nullptr, 10);
}

void FaultHook::step(std::string_view name) {
  if (kill_at_ == 0 && !list_) return;
  if (!name_.empty() && name != name_) return;
  const uint64_t n = ++steps_;
  if (list_) {
    const std::string line =
        "patchbay: durable step " + std::to_string(n) + ": " + one_line(name) + "\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  }
  if (n == kill_at_) kill(getpid(), SIGKILL);
}

}  // namespace patchbay::host
