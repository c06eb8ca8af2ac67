#include "arrow_errors.h"

#include <arrow/util/io_util.h>
#include <parquet/exception.h>

#include <new>

namespace patchbay {
namespace {

// Arrow's messages may go on with a trace of source lines.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

[[noreturn]] void too_large(const std::string& subject) {
  throw Error(Code::kData, subject +
                               ": asks for more memory than there is; it is damaged, or was "
                               "written with pages that are too large");
}

}  // namespace

void throw_status(const std::string& subject, const arrow::Status& status) {
  const std::string why = first_line(status.message());
  if (arrow::internal::ErrnoFromStatus(status) != 0)
    throw Error(Code::kUnavailable, subject + ": " + why);
  if (status.IsOutOfMemory()) too_large(subject);
  if (status.IsNotImplemented()) throw Error(Code::kData, subject + ": is not supported: " + why);
  throw Error(Code::kData, subject + ": is damaged: " + why);
}

void guard_parquet(const std::string& subject, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const parquet::ParquetStatusException& error) {
    throw_status(subject, error.status());
  } catch (const std::bad_alloc&) {
    too_large(subject);
  } catch (const std::exception& error) {  // of parquet, thrift, or the library on wild sizes
    throw Error(Code::kData, subject + ": is damaged: " + first_line(error.what()));
  }
}

}  // namespace patchbay
