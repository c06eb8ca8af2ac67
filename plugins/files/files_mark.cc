#include "files_mark.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <vector>

#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

constexpr const char* kPrefix = "user.patchbay.revealing.";
// All attributes of a folder share one block on ext4.
constexpr size_t kMost = 32;

// FNV-1a: the same in every process, unlike std::hash.
std::string name_of(const std::string& txn) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : txn) hash = (hash ^ c) * 0x100000001b3;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name = kPrefix;
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[hash >> shift & 15];
  return name;
}

std::vector<std::string> marks(int folder) {
  std::vector<char> text(64 << 10);
  const ssize_t size = flistxattr(folder, text.data(), text.size());
  std::vector<std::string> out;
  for (ssize_t at = 0; at < size;) {
    std::string name = text.data() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    if (name.starts_with(kPrefix)) out.push_back(std::move(name));
  }
  return out;
}

int64_t time_of(int folder, const std::string& name) {
  int64_t time = 0;
  return fgetxattr(folder, name.c_str(), &time, sizeof time) == sizeof time ? time : 0;
}

void drop_oldest(int folder) {
  std::vector<std::pair<int64_t, std::string>> by_time;
  for (auto& name : marks(folder)) by_time.emplace_back(time_of(folder, name), std::move(name));
  if (by_time.size() < kMost) return;
  std::sort(by_time.begin(), by_time.end());
  for (size_t i = 0; i <= by_time.size() - kMost; ++i)
    fremovexattr(folder, by_time[i].second.c_str());
}

}  // namespace

void mark_revealing(int folder, const std::string& path, const std::string& txn) {
  if (is_marked(folder, txn)) return;
  drop_oldest(folder);
  const int64_t now = std::chrono::system_clock::now().time_since_epoch().count();
  if (fsetxattr(folder, name_of(txn).c_str(), &now, sizeof now, 0) != 0) return;
  if (fsync(folder) != 0) throw posix_error(path, errno, "made durable");
}

bool is_marked(int folder, const std::string& txn) {
  return fgetxattr(folder, name_of(txn).c_str(), nullptr, 0) >= 0;
}

void remove_mark(int folder, const std::string& txn) { fremovexattr(folder, name_of(txn).c_str()); }

}  // namespace patchbay
