// The composition root.
#include <fcntl.h>
#include <signal.h>

#include "cli/signal_watch.h"
#include "cli/verbs.h"
#include "loader/crash_guard.h"

// A file that is opened where one of these is closed takes its place, and gets what is printed.
static void fill_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

int main(int argc, char** argv) {
  fill_standard_streams();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file over the limit is an error of the write
  patchbay::host::install_crash_handler();
  patchbay::host::install_terminate_handler();
  patchbay::host::SignalWatch signals;
  return patchbay::host::dispatch({argv + 1, argv + argc}, signals);
}
