#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "patchbay/adbc.h"

namespace patchbay::adbc {

CancelWatch::CancelWatch(const Call& call, Connection& connection)
    : connection_(connection),
      cancel_fd_(fcntl(call.cancel_fd(), F_DUPFD_CLOEXEC, 0)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  if (cancel_fd_ < 0 || stop_fd_ < 0) {
    const int error = errno;
    if (cancel_fd_ >= 0) close(cancel_fd_);
    if (stop_fd_ >= 0) close(stop_fd_);
    throw std::system_error(error, std::generic_category(), "eventfd");
  }
  thread_ = std::thread([this] { watch(); });
}

CancelWatch::~CancelWatch() {
  eventfd_write(stop_fd_, 1);
  thread_.join();
  close(cancel_fd_);
  close(stop_fd_);
}

// Again and again: a cancellation that falls between two statements is lost on drivers that only
// look at it while one runs.
void CancelWatch::watch() {
  pollfd fds[] = {{stop_fd_, POLLIN, 0}, {cancel_fd_, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0) continue;
  while (!(fds[0].revents & POLLIN)) {
    connection_.cancel();
    poll(fds, 1, 50);
  }
}

}  // namespace patchbay::adbc
