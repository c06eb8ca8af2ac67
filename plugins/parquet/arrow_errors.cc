#include "arrow_errors.h"

#include <arrow/util/io_util.h>
#include <parquet/exception.h>

#include <new>

namespace patchbay {
namespace {

// Arrow's messages may go on with a trace of source lines.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

[[noreturn]] void fail(const std::string& subject, const std::string& why, Doing doing) {
  if (why.find("decrypt") != std::string::npos) {
    throw Error(Code::kData, subject +
                                 ": has encrypted columns; decrypt it before, or read the "
                                 "other columns with columns");
  }
  const char* what = doing == Doing::kRead ? ": is damaged: " : ": can't be written as Parquet: ";
  throw Error(Code::kData, subject + what + first_line(why));
}

[[noreturn]] void too_large(const std::string& subject, Doing doing) {
  if (doing == Doing::kWrite) {
    throw Error(Code::kUnavailable, subject +
                                        ": there is no memory for a row group; make "
                                        "row_group_bytes or row_group_rows smaller");
  }
  throw Error(Code::kData, subject +
                               ": asks for more memory than there is; it is damaged, or was "
                               "written with pages that are too large");
}

}  // namespace

void throw_status(const std::string& subject, const arrow::Status& status, Doing doing) {
  if (arrow::internal::ErrnoFromStatus(status) != 0)
    throw Error(Code::kUnavailable, subject + ": " + first_line(status.message()));
  if (status.IsOutOfMemory()) too_large(subject, doing);
  if (status.IsNotImplemented() && doing == Doing::kRead) {
    throw Error(Code::kData,
                subject + ": has what is not supported: " + first_line(status.message()));
  }
  fail(subject, status.message(), doing);
}

void guard_parquet(const std::string& subject, const std::function<void()>& work, Doing doing) {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const parquet::ParquetStatusException& error) {
    throw_status(subject, error.status(), doing);
  } catch (const std::bad_alloc&) {
    too_large(subject, doing);
  } catch (const std::exception& error) {  // of parquet, thrift, or the library on wild sizes
    fail(subject, error.what(), doing);
  }
}

}  // namespace patchbay
