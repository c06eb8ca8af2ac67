#include "sync/cancel.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "patchbay/posix_error.h"

namespace patchbay::host {

CancelToken::CancelToken() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw posix_error("what calls are cancelled by", errno, "made");
}

CancelToken::~CancelToken() { close(fd_); }

void CancelToken::cancel() {
  cancelled_.store(true, std::memory_order_release);
  eventfd_write(fd_, 1);
}

bool CancelToken::wait_for(std::chrono::nanoseconds time) const {
  using std::chrono::ceil, std::chrono::milliseconds, std::chrono::steady_clock;
  const auto end = steady_clock::now() + time;
  while (!cancelled()) {
    const auto left = ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return true;
    pollfd ready{fd_, POLLIN, 0};
    poll(&ready, 1, static_cast<int>(std::min<int64_t>(left.count(), 3'600'000)));
  }
  return false;
}

}  // namespace patchbay::host
