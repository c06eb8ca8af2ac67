#include "patchbay/trust.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <deque>

namespace patchbay {
namespace {

namespace fs = std::filesystem;

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found ? found->pw_name : "user " + std::to_string(uid);
}

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

// Walks from the root to the path, link by link, and stops at the first fault.
class Walk {
 public:
  Walk(const fs::path& path, Trust trust, UsedAs use) : trust_(trust), use_(use) {
    std::error_code gone;
    add_front(path.is_absolute() ? path : fs::current_path(gone) / path);
  }

  std::optional<Distrust> run() {
    judge_folder(here_, false);
    while (!fault_ && !left_.empty() && step()) continue;
    return std::move(fault_);
  }

 private:
  static constexpr int kMostLinks = 40;  // as the kernel has it

  void add_front(const fs::path& path) {
    std::deque<fs::path> parts;
    for (const auto& part : path.relative_path()) {
      if (!part.empty() && part != ".") parts.push_back(part);
    }
    left_.insert(left_.begin(), parts.begin(), parts.end());
    if (path.is_absolute()) here_ = path.root_path();
  }

  // False where there is nothing more to look at.
  bool step() {
    const fs::path part = left_.front();
    left_.pop_front();
    if (part == "..") {
      here_ = here_.parent_path();
      return true;
    }
    const bool last = left_.empty();
    if (last && use_ == UsedAs::kListedCode) judge_folder(here_, true);
    const fs::path next = here_ / part;
    struct stat status{};
    if (lstat(next.c_str(), &status) != 0) return false;
    if (S_ISLNK(status.st_mode)) return follow(next, status);
    here_ = next;
    if (last) {
      judge(next, status);
    } else {
      judge_folder(next, false);
    }
    return true;
  }

  bool follow(const fs::path& link, const struct stat& status) {
    judge_owner(link, status);
    std::error_code gone;
    const fs::path target = fs::read_symlink(link, gone);
    if (gone || ++links_ > kMostLinks) return false;
    add_front(target);
    return true;
  }

  void judge(const fs::path& path, const struct stat& status) {
    if (use_ == UsedAs::kScratch) return judge_folder(path, false);
    judge_owner(path, status);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) refuse_writers(path, status, "go-w");
  }

  void judge_folder(const fs::path& folder, bool is_listed) {
    struct stat status{};
    if (lstat(folder.c_str(), &status) != 0) return;
    judge_owner(folder, status);
    const bool code = use_ == UsedAs::kCode || use_ == UsedAs::kListedCode;
    const bool sticky = (status.st_mode & S_ISVTX) != 0 && !is_listed;
    const mode_t writers = code ? S_IWGRP | S_IWOTH : S_IWOTH;
    if ((status.st_mode & writers) != 0 && !sticky)
      refuse_writers(folder, status, code ? "go-w" : "o-w");
  }

  void judge_owner(const fs::path& path, const struct stat& status) {
    const bool own = trust_ == Trust::kRootAndOwn && status.st_uid == geteuid();
    if (fault_ || status.st_uid == 0 || own) return;
    const std::string owner = user_name(status.st_uid);
    fault_ = {
        path.string() + ": belongs to " + owner + ", not to root" +
            (trust_ == Trust::kRootAndOwn ? " or you" : ""),
        owner,
        std::string("chown ") + (S_ISLNK(status.st_mode) ? "-h " : "") + "root: " + path.string()};
  }

  void refuse_writers(const fs::path& path, const struct stat& status, const std::string& mode) {
    if (fault_) return;
    fault_ = {path.string() + ": others than its owner may write to it (mode " +
                  octal(status.st_mode) + ")",
              "", "chmod " + mode + " " + path.string()};
  }

  const Trust trust_;
  const UsedAs use_;
  fs::path here_ = "/";
  std::deque<fs::path> left_;  // parts of the path, those of links included
  int links_ = 0;
  std::optional<Distrust> fault_;
};

}  // namespace

std::optional<Distrust> find_distrust(const fs::path& path, Trust trust, UsedAs use) {
  return Walk(path, trust, use).run();
}

}  // namespace patchbay
