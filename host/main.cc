// The composition root.
#include <signal.h>

#include "cli/verbs.h"
#include "loader/crash_guard.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  patchbay::host::install_crash_handler();
  return patchbay::host::dispatch({argv + 1, argv + argc});
}
