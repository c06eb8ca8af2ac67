// Failures of the operating system, each with one class wherever it is met.
#pragma once

#include <exception>
#include <string>

#include "patchbay/error.h"

namespace patchbay {

// The error for a call of the operating system that failed: "PATH: cannot be INTENT: reason; what
// to do". `error` is its errno; `intent` says what was tried: "read", "made", "opened".
// The class decides what the host does:
//   kConfig       rights, read-only disks, a folder in place of a file, names: an edit is needed.
//                 Local rights are no credentials, so never kAuth
//   kNotFound     ENOENT
//   kUnavailable  full disks, limits of this process or machine, and what may pass by itself: the
//                 message names the limit and its value, and a retry may help
//   kInternal     EBADF, EFAULT and EINVAL: a bug of the caller
// Source: errno(3), https://man7.org/linux/man-pages/man3/errno.3.html
Error posix_error(const std::string& path, int error, const std::string& intent);

// Whether `error` means that a limit of this process or machine is reached: of open files,
// memory, processes and threads, or of the size of a file.
bool is_limit(int error);

// Such a limit with its value, and what to do: "the limit of open files (ulimit -n, now 14) is
// reached; raise it". Empty if `error` is not one.
// Source: getrlimit(2), https://man7.org/linux/man-pages/man2/getrlimit.2.html
std::string limit_words(int error);

// The error for a library that dlopen cannot load; `words` are those of dlerror, which alone say
// whether a limit is the cause. Otherwise kConfig: "PATH: cannot be loaded: WORDS".
// Source: dlopen(3), https://man7.org/linux/man-pages/man3/dlopen.3.html
Error load_error(const std::string& path, const std::string& words);

// The error that an exception stands for. An Error stays as it is; std::bad_alloc, a thread that
// cannot be started and a std::filesystem_error get the class of their cause; anything else is
// kInternal. For the place where exceptions become a status or an exit code.
Error error_of(const std::exception& exception);

}  // namespace patchbay
