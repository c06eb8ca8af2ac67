#include "patchbay/sqlite_wait.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace patchbay {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// As /proc/locks names a file: 08:01:131090. Empty where there is none.
std::string lock_name(const std::string& file) {
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) return "";
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%02x:%02x:%llu", major(info.st_dev),
                                 minor(info.st_dev), static_cast<unsigned long long>(info.st_ino));
  return {text.data(), static_cast<size_t>(size)};
}

}  // namespace

// https://man7.org/linux/man-pages/man5/proc_locks.5.html
std::string holders_of(const std::string& file) {
  const std::string main = lock_name(file), log = lock_name(file + "-shm");
  std::ifstream locks("/proc/locks");
  std::set<long> processes;
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, inode;
    long process = 0;
    words >> number >> kind;
    if (kind == "->") continue;  // it waits, too
    words >> mode >> access >> process >> inode;
    if (process > 0 && !inode.empty() && (inode == main || inode == log)) processes.insert(process);
  }
  std::string out;
  for (const long process : processes) {
    out += (out.empty() ? "" : ", ") + (process == getpid() ? std::string("this process itself")
                                                            : "process " + std::to_string(process));
  }
  return out;
}

CallWait::CallWait(Database& database, Call& call, Context& context, LockPatience patience)
    : database_(database), call_(call), context_(context), patience_(patience) {
  database_.attend(this);
}

CallWait::~CallWait() { database_.attend(nullptr); }

bool CallWait::stopped() { return call_.cancelled(); }

bool CallWait::wait(int tries) {
  const auto now = steady_clock::now();
  if (tries == 0) {
    began_ = now;
    until_ = now + patience_.per_attempt;
    attempts_ = 0;
  }
  if (!said_ && now - began_ >= patience_.before_word) {
    said_ = true;
    const std::string holders = holders_of(database_.file());
    context_.log(BAY_LOG_WARN, database_.file() + ": waits for a lock that " +
                                   (holders.empty() ? "another program" : holders) + " holds");
  }
  if (now >= until_) {
    const auto more = call_.backoff(++attempts_);
    if (!more) return false;
    until_ = now + *more + patience_.per_attempt;
  }
  const int pause = std::min(1 << std::min(tries, 6), 50);
  pollfd cancelled{call_.cancel_fd(), POLLIN, 0};
  poll(&cancelled, 1, pause);
  return !call_.cancelled();
}

}  // namespace patchbay
