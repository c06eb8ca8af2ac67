// The program patchbay-conformance: `patchbay conformance FILE.so`, installed apart.
#include <signal.h>

#include "cli/signal_watch.h"
#include "cli/verbs.h"
#include "loader/crash_guard.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  patchbay::host::install_crash_handler();
  patchbay::host::install_terminate_handler();
  patchbay::host::SignalWatch signals;
  std::vector<std::string> words{"conformance"};
  words.insert(words.end(), argv + 1, argv + argc);
  return patchbay::host::dispatch(words, signals,
                                  {{"conformance", patchbay::host::verb_conformance}});
}
