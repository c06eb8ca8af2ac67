#include "patchbay/posix_error.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <system_error>

namespace patchbay {
namespace {

// The soft limit of this process; nothing if there is none.
std::optional<rlim_t> limit_of(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

std::string limit(const std::string& what, const std::string& name, std::optional<rlim_t> now) {
  return "the limit of " + what + " (" + name + (now ? ", now " + std::to_string(*now) : "") +
         ") is reached; raise it";
}

std::string machine_limit() {
  std::ifstream file("/proc/sys/fs/file-max");
  rlim_t most = 0;
  file >> most;
  return limit("open files of this machine", "sysctl fs.file-max",
               file ? std::optional(most) : std::nullopt);
}

std::string memory_limit() {
  constexpr rlim_t kUnit = 1024;  // of ulimit -v
  if (const auto bytes = limit_of(RLIMIT_AS)) return limit("memory", "ulimit -v", *bytes / kUnit);
  return "the memory is used up; free some, or raise the limit of the service or container";
}

// A thread also needs room for its stack.
std::string thread_limit() {
  const std::string threads = limit("processes and threads", "ulimit -u", limit_of(RLIMIT_NPROC));
  const auto bytes = limit_of(RLIMIT_AS);
  return bytes ? threads + ", or " + memory_limit() : threads;
}

Code class_of(int error) {
  if (is_limit(error)) return Code::kUnavailable;
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EEXIST:
    case ENOTEMPTY:
    case EXDEV:
    case ENXIO:
    case ENODEV:
    case ENOTSUP:
    case ENOSYS:
    case ENOEXEC:
      return Code::kConfig;
    case ENOENT:
      return Code::kNotFound;
    case EBADF:
    case EFAULT:
    case EINVAL:
      return Code::kInternal;
    default:
      return Code::kUnavailable;
  }
}

// Why, and what to do about it.
std::string words_of(int error) {
  const std::string reason = std::strerror(error);
  if (is_limit(error)) return limit_words(error);
  switch (error) {
    case EACCES:
    case EPERM:
      return reason + "; give this user the right to it and to the folders on its way";
    case EROFS:
      return reason + "; choose a place that can be written";
    case ENOTDIR:
      return reason + "; a part of the path is a file";
    case EISDIR:
      return reason + "; name a file";
    case ENAMETOOLONG:
      return reason + "; choose a shorter one";
    case ELOOP:
      return reason + "; name the place itself, without links";
    case EEXIST:
    case ENOTEMPTY:
      return reason + "; move it away, or choose another name";
    case ENOENT:
      return reason + "; check the path";
    case ENOSPC:
      return "the disk is full; make room and run again";
    case EDQUOT:
      return "the disk quota is used up; make room and run again";
    case EIO:
      return reason + "; check the disk, then run again";
    default:
      return class_of(error) == Code::kUnavailable ? reason + "; run again"
                                                   : reason + "; check the path";
  }
}

bool is_errno(const std::error_category& category) {
  return category == std::generic_category() || category == std::system_category();
}

Error error_of_system(const std::system_error& error) {
  const int number = error.code().value();
  if (!is_errno(error.code().category())) return {Code::kInternal, error.what()};
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error))
    return posix_error(file->path1().empty() ? "." : file->path1().string(), number, "used");
  if (number == EAGAIN) return posix_error("a thread", number, "started");
  return {class_of(number), std::string(error.what()) + ": " + words_of(number)};
}

}  // namespace

bool is_limit(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN ||
         error == EFBIG || error == ENOLCK;
}

std::string limit_words(int error) {
  switch (error) {
    case EMFILE:
      return limit("open files", "ulimit -n", limit_of(RLIMIT_NOFILE));
    case ENFILE:
      return machine_limit();
    case ENOMEM:
      return memory_limit();
    case EAGAIN:
      return thread_limit();
    case EFBIG:
      return limit("bytes in a file", "ulimit -f", limit_of(RLIMIT_FSIZE));
    case ENOLCK:
      return limit("file locks", "ulimit -x", limit_of(RLIMIT_LOCKS));
    default:
      return "";
  }
}

Error posix_error(const std::string& path, int error, const std::string& intent) {
  return {class_of(error), path + ": cannot be " + intent + ": " + words_of(error)};
}

Error load_error(const std::string& path, const std::string& words) {
  // glibc does not say why a part cannot be mapped; a disk without the right to execute is the
  // other cause.
  const bool unmapped = words.find("failed to map segment") != std::string::npos ||
                        words.find("cannot map zero-fill pages") != std::string::npos;
  if (unmapped && limit_of(RLIMIT_AS)) return posix_error(path, ENOMEM, "loaded");
  for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN}) {
    if (words.find(std::strerror(error)) != std::string::npos)
      return posix_error(path, error, "loaded");
  }
  return {Code::kConfig, path + ": cannot be loaded: " + words};
}

Error error_of(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return *error;
  if (dynamic_cast<const std::bad_alloc*>(&exception))
    return {Code::kUnavailable, "memory: " + limit_words(ENOMEM)};
  if (const auto* error = dynamic_cast<const std::system_error*>(&exception))
    return error_of_system(*error);
  return {Code::kInternal, exception.what()};
}

}  // namespace patchbay
