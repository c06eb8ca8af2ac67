#include "written_files.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <vector>

namespace patchbay {
namespace {

struct Paths {
  std::mutex mutex;
  std::vector<std::string> all;
};

// Shared by all lanes of the process: each has components of its own.
Paths& paths() {
  static Paths one;
  return one;
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return a == b || std::filesystem::equivalent(a, b, ignored);
}

}  // namespace

WrittenFile::WrittenFile(const std::string& path) : path_(path) {
  const std::lock_guard lock(paths().mutex);
  paths().all.push_back(path_);
}

WrittenFile::~WrittenFile() {
  const std::lock_guard lock(paths().mutex);
  auto& all = paths().all;
  all.erase(std::find(all.begin(), all.end(), path_));
}

bool is_written_here(const std::string& path) {
  const std::lock_guard lock(paths().mutex);
  const auto& all = paths().all;
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& one) { return is_same_file(one, path); });
}

}  // namespace patchbay
