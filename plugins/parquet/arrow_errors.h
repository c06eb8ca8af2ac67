// Arrow reports by status, Parquet by exception as well; here both become errors of the SDK.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <functional>
#include <string>
#include <utility>

#include "patchbay/error.h"

namespace patchbay {

enum class Doing { kRead, kWrite };

// `subject` is the file or stream. A failure of the disk is kUnavailable, all else kData.
[[noreturn]] void throw_status(const std::string& subject, const arrow::Status& status,
                               Doing doing = Doing::kRead);

inline void check_status(const std::string& subject, const arrow::Status& status,
                         Doing doing = Doing::kRead) {
  if (!status.ok()) throw_status(subject, status, doing);
}

template <class T>
T value_of(const std::string& subject, arrow::Result<T> result, Doing doing = Doing::kRead) {
  check_status(subject, result.status(), doing);
  return std::move(result).ValueUnsafe();
}

// Runs `work`, which calls what throws parquet::ParquetException.
void guard_parquet(const std::string& subject, const std::function<void()>& work,
                   Doing doing = Doing::kRead);

}  // namespace patchbay
