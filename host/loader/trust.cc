#include "loader/trust.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "patchbay/error.h"

namespace patchbay::host {
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

class TrustCheck {
 public:
  TrustCheck(fs::path file, Trust trust) : file_(std::move(file)), trust_(trust) {}

  // In a folder where all may write and none may remove what is another's, like /tmp, a name that
  // is root's stays so; but whoever may add a file there could add a plugin.
  void check(const fs::path& path, bool sticky_will_do) const {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return;  // not there: whoever opens it says so
    const bool own = trust_ == Trust::kRootAndOwn && status.st_uid == geteuid();
    const std::string name = path.string();
    if (status.st_uid != 0 && !own) {
      refuse(name + ": belongs to " + user_name(status.st_uid) + ", not to root" +
                 (trust_ == Trust::kRootAndOwn ? " or you" : ""),
             "chown root: " + name);
    }
    const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(sticky && sticky_will_do)) {
      refuse(name + ": others than its owner may write to it (mode " + octal(status.st_mode) + ")",
             "chmod go-w " + name);
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why, const std::string& command) const {
    throw Error(Code::kConfig, why + ", so " + file_.filename().string() + " is not loaded; run `" +
                                   command + "`");
  }

  fs::path file_;
  Trust trust_;
};

}  // namespace

void check_trusted(const fs::path& file, Trust trust) {
  const TrustCheck check(file, trust);
  std::error_code gone;
  // As it is called, and as links lead to it.
  for (const fs::path& way : {fs::absolute(file).lexically_normal(), fs::canonical(file, gone)}) {
    if (way.empty()) continue;
    check.check(way, false);
    fs::path folder = way.parent_path();
    check.check(folder, false);
    while (folder.has_relative_path()) {
      folder = folder.parent_path();
      check.check(folder, true);
    }
  }
}

}  // namespace patchbay::host
