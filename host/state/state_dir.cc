#include "state/state_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "files/local_files.h"
#include "patchbay/file.h"

namespace patchbay::host {

namespace fs = std::filesystem;

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

// A number that a pipeline has, and whether its records were given away.
struct Numbered {
  fs::path file;
  int64_t number = 0;
  std::string pipeline;
  bool moved = false;
};

// Whoever is in the middle of taking a number has a draft, which is hidden.
std::vector<Numbered> numbered(const fs::path& dir) {
  constexpr size_t kLargest = 1 << 20;
  std::vector<Numbered> all;
  for (const auto& file : entries_of(dir / "numbers")) {
    if (file.filename().string().starts_with('.')) continue;
    const std::string text = read_regular_file(file, kLargest);
    const size_t end = text.find('\n');
    if (end == std::string::npos) continue;
    all.push_back(
        {file, std::atoll(file.filename().c_str()), text.substr(0, end), end + 1 < text.size()});
  }
  return all;
}

}  // namespace

fs::path state_file(const fs::path& dir, const std::string& pipeline) {
  return folder(dir) / (file_name(pipeline) + ".db");
}

std::vector<std::string> pipelines_with_state(const fs::path& dir) {
  std::vector<std::string> names;
  for (auto& one : numbered(dir)) {
    if (is_there(state_file(dir, one.pipeline))) names.push_back(std::move(one.pipeline));
  }
  std::sort(names.begin(), names.end());
  return names;
}

int64_t number_of_pipeline(const fs::path& dir, const std::string& pipeline) {
  const fs::path numbers = dir / "numbers";
  prepare_state_dir(numbers);
  int64_t next = 0;
  for (const auto& one : numbered(dir)) {
    if (one.pipeline == pipeline) return one.number;
    next = std::max(next, one.number + 1);
  }
  // The name is in the file before the number is taken: linking fails where another process has it.
  const fs::path draft = numbers / (".draft-" + std::to_string(getpid()));
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) refuse_state_file(draft, errno);
  const int failure = write_all(fd, pipeline + "\n");
  close(fd);
  if (failure != 0) refuse_state_file(draft, failure);
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

namespace {

void mark_as_moved(const fs::path& file) {
  const int fd = open(file.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) refuse_state_file(file, errno);
  const int failure = write_all(fd, "moved\n");
  close(fd);
  if (failure != 0) refuse_state_file(file, failure);
}

}  // namespace

void move_state_file(const fs::path& dir, const std::string& from, const std::string& to) {
  const fs::path old_file = state_file(dir, from), new_file = state_file(dir, to);
  if (!is_there(old_file))
    throw Error(Code::kConfig, "state move: there are no records of a pipeline " + from);
  mark_as_moved(dir / "numbers" / std::to_string(number_of_pipeline(dir, from)));
  number_of_pipeline(dir, to);
  for (const char* suffix : {"-wal", "-shm"}) {
    if (unlink((new_file.string() + suffix).c_str()) != 0 && errno != ENOENT)
      refuse_state_file(new_file.string() + suffix, errno);
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const fs::path file = old_file.string() + suffix;
    if (!is_there(file)) continue;
    if (rename(file.c_str(), (new_file.string() + suffix).c_str()) != 0)
      refuse_state_file(new_file, errno);
  }
}

bool is_moved_away(const fs::path& dir, const std::string& pipeline) {
  for (const auto& one : numbered(dir)) {
    if (one.pipeline == pipeline) return one.moved;
  }
  return false;
}

}  // namespace patchbay::host
