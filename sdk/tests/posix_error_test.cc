#include "patchbay/posix_error.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <new>
#include <system_error>

namespace patchbay {
namespace {

TEST(PosixError, EachCauseHasOneClass) {
  const struct {
    int error;
    Code code;
  } kCases[] = {
      {EACCES, Code::kConfig},      {EPERM, Code::kConfig},       {EROFS, Code::kConfig},
      {ENOTDIR, Code::kConfig},     {EISDIR, Code::kConfig},      {ENAMETOOLONG, Code::kConfig},
      {ELOOP, Code::kConfig},       {ENOENT, Code::kNotFound},    {ENOSPC, Code::kUnavailable},
      {EDQUOT, Code::kUnavailable}, {EMFILE, Code::kUnavailable}, {ENFILE, Code::kUnavailable},
      {ENOMEM, Code::kUnavailable}, {EAGAIN, Code::kUnavailable}, {EINTR, Code::kUnavailable},
      {EIO, Code::kUnavailable},    {ESTALE, Code::kUnavailable}, {ETIMEDOUT, Code::kUnavailable},
      {EFBIG, Code::kUnavailable},  {EBADF, Code::kInternal},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(posix_error("x", c.error, "read").code(), c.code) << c.error;
}

TEST(PosixError, TheMessageHasPlaceReasonAndRemedy) {
  EXPECT_STREQ(posix_error("in/a.csv", EACCES, "read").what(),
               "in/a.csv: cannot be read: Permission denied; give this user the right to it and to "
               "the folders on its way");
  EXPECT_STREQ(posix_error("out", ENOSPC, "written").what(),
               "out: cannot be written: the disk is full; make room and run again");
}

// Lowers a limit of this process for one test.
class Limit {
 public:
  Limit(decltype(RLIMIT_NOFILE) resource, rlim_t value) : resource_(resource) {
    getrlimit(resource_, &before_);
    const rlimit now{value, before_.rlim_max};
    setrlimit(resource_, &now);
  }
  ~Limit() { setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  decltype(RLIMIT_NOFILE) resource_;
  rlimit before_{};
};

TEST(PosixError, LimitsAreNamedWithTheirValue) {
  const Limit files(RLIMIT_NOFILE, 77);
  EXPECT_STREQ(posix_error("state.db", EMFILE, "opened").what(),
               "state.db: cannot be opened: the limit of open files (ulimit -n, now 77) is "
               "reached; raise it");
  const Limit bytes(RLIMIT_FSIZE, 1 << 20);
  EXPECT_EQ(limit_words(EFBIG),
            "the limit of bytes in a file (ulimit -f, now 1048576) is reached; raise it");
  EXPECT_NE(limit_words(EAGAIN).find("the limit of processes and threads (ulimit -u"),
            std::string::npos);
  EXPECT_NE(limit_words(ENFILE).find("sysctl fs.file-max, now "), std::string::npos);
  EXPECT_EQ(limit_words(EACCES), "");
}

TEST(PosixError, ALibraryThatALimitKeepsOutIsNotAFaultOfTheConfiguration) {
  EXPECT_EQ(load_error("a.so", "b.so: failed to map segment: Cannot allocate memory").code(),
            Code::kUnavailable);
  EXPECT_EQ(load_error("a.so", "b.so: Too many open files").code(), Code::kUnavailable);
  const Error gone = load_error("a.so", "b.so: No such file or directory");
  EXPECT_EQ(gone.code(), Code::kConfig);
  EXPECT_STREQ(gone.what(), "a.so: cannot be loaded: b.so: No such file or directory");
}

TEST(PosixError, ExceptionsGetTheClassOfTheirCause) {
  const auto of = [](const std::exception& exception) { return error_of(exception); };
  EXPECT_EQ(of(Error(Code::kData, "d", "{}")).code(), Code::kData);
  EXPECT_EQ(of(Error(Code::kData, "d", "{}")).detail_json(), "{}");
  EXPECT_EQ(of(std::bad_alloc()).code(), Code::kUnavailable);
  const Error thread =
      of(std::system_error(EAGAIN, std::generic_category(), "Resource temporarily unavailable"));
  EXPECT_EQ(thread.code(), Code::kUnavailable);
  EXPECT_NE(std::string(thread.what()).find("a thread: cannot be started: the limit of processes"),
            std::string::npos);
  const Error file = of(std::filesystem::filesystem_error(
      "cannot", "closed/o.db", std::make_error_code(std::errc::permission_denied)));
  EXPECT_EQ(file.code(), Code::kConfig);
  EXPECT_NE(std::string(file.what()).find("closed/o.db: cannot be used: Permission denied"),
            std::string::npos);
  EXPECT_EQ(of(std::runtime_error("oops")).code(), Code::kInternal);
  EXPECT_STREQ(of(std::runtime_error("oops")).what(), "oops");
}

}  // namespace
}  // namespace patchbay
