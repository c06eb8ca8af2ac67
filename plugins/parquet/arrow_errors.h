// Arrow reports by status, Parquet by exception as well; here both become errors of the SDK.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <functional>
#include <string>
#include <utility>

#include "patchbay/error.h"

namespace patchbay {

// `subject` is the file or stream. A failure of the disk is kUnavailable, all else kData.
[[noreturn]] void throw_status(const std::string& subject, const arrow::Status& status);

inline void check_status(const std::string& subject, const arrow::Status& status) {
  if (!status.ok()) throw_status(subject, status);
}

template <class T>
T value_of(const std::string& subject, arrow::Result<T> result) {
  check_status(subject, result.status());
  return std::move(result).ValueUnsafe();
}

// Runs `work`, which calls what throws parquet::ParquetException.
void guard_parquet(const std::string& subject, const std::function<void()>& work);

}  // namespace patchbay
