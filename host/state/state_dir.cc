#include "state/state_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "patchbay/error.h"

namespace patchbay::host {

namespace fs = std::filesystem;

void prepare_state_dir(const fs::path& dir) {
  std::error_code error;
  if (fs::is_directory(dir, error)) return;
  fs::path whole = fs::absolute(dir);
  if (!whole.has_filename()) whole = whole.parent_path();  // it ends in a slash
  fs::create_directories(whole.parent_path(), error);
  if (error) refuse_state_file(dir, error.value());
  if (mkdir(whole.c_str(), 0700) == 0 || (errno == EEXIST && fs::is_directory(dir, error))) return;
  refuse_state_file(dir, errno == EEXIST ? ENOTDIR : errno);
}

void refuse_state_file(const fs::path& what, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw Error(Code::kUnavailable, what.string() + ": the disk is full; make room and run again");
  }
  throw Error(Code::kConfig,
              what.string() + ": cannot be opened or made: " + std::strerror(error) +
                  "; check the folder's permissions, or choose another with --state-dir");
}

namespace {

constexpr size_t kLongestName = 200;  // bytes; a file's name may have 255, and SQLite adds some

// FNV-1a
std::string hash_of(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string out;
  for (int i = 0; i < 16; ++i, hash >>= 4) out += "0123456789abcdef"[hash & 15];
  return out;
}

// Letters, digits and what is beyond ASCII stand for themselves, all else for %XX.
std::string file_name(const std::string& pipeline) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < pipeline.size(); ++i) {
    const auto c = static_cast<unsigned char>(pipeline[i]);
    const bool plain = std::isalnum(c) != 0 || c >= 0x80 || c == '_' || c == '-' || c == ' ' ||
                       (c == '.' && i > 0);
    if (plain) {
      out += pipeline[i];
    } else {
      out += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  if (out.size() <= kLongestName) return out;
  return out.substr(0, kLongestName - 20) + "%%" + hash_of(pipeline);
}

fs::path folder(const fs::path& dir) { return dir / "pipelines"; }

}  // namespace

fs::path state_file(const fs::path& dir, const std::string& pipeline) {
  return folder(dir) / (file_name(pipeline) + ".db");
}

std::vector<std::string> pipelines_with_state(const fs::path& dir) {
  std::vector<std::string> names;
  std::error_code gone;
  fs::directory_iterator files(dir / "numbers", gone);
  if (gone && gone != std::errc::no_such_file_or_directory)
    refuse_state_file(dir / "numbers", gone.value());
  for (const auto& entry : files) {
    std::ifstream in(entry.path());
    std::string name;
    if (std::getline(in, name) && fs::exists(state_file(dir, name), gone)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

int64_t number_of_pipeline(const fs::path& dir, const std::string& pipeline) {
  const fs::path numbers = dir / "numbers";
  prepare_state_dir(numbers);
  int64_t next = 0;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(numbers, gone)) {
    std::ifstream in(entry.path());
    std::string name;
    const int64_t number = std::atoll(entry.path().filename().c_str());
    if (std::getline(in, name) && name == pipeline) return number;
    next = std::max(next, number + 1);
  }
  // The name is in the file before the number is taken: linking fails where another process has it.
  const fs::path draft = numbers / (".draft-" + std::to_string(getpid()));
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) refuse_state_file(draft, errno);
  const std::string line = pipeline + "\n";
  const bool written = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int failure = written ? 0 : errno;
  close(fd);
  if (!written) refuse_state_file(draft, failure);
  while (link(draft.c_str(), (numbers / std::to_string(next)).c_str()) != 0) {
    if (errno != EEXIST) {
      const int error = errno;
      unlink(draft.c_str());
      refuse_state_file(numbers, error);
    }
    ++next;
  }
  unlink(draft.c_str());
  return next;
}

void move_state_file(const fs::path& dir, const std::string& from, const std::string& to) {
  const fs::path old_file = state_file(dir, from), new_file = state_file(dir, to);
  std::error_code error;
  if (!fs::exists(old_file, error))
    throw Error(Code::kConfig, "state move: there are no records of a pipeline " + from);
  const int64_t number = number_of_pipeline(dir, from);
  std::ofstream(dir / "numbers" / std::to_string(number), std::ios::app) << "moved\n";
  number_of_pipeline(dir, to);
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(new_file.string() + suffix, error);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (!fs::exists(old_file.string() + suffix, error)) continue;
    fs::rename(old_file.string() + suffix, new_file.string() + suffix, error);
    if (error) refuse_state_file(new_file, error.value());
  }
}

bool is_moved_away(const fs::path& dir, const std::string& pipeline) {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(dir / "numbers", gone)) {
    std::ifstream in(entry.path());
    std::string name, moved;
    if (std::getline(in, name) && name == pipeline) return bool(std::getline(in, moved));
  }
  return false;
}

}  // namespace patchbay::host
