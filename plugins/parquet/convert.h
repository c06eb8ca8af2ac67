// Arrays as files have them into arrays as streams have them.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "patchbay/batch.h"
#include "patchbay/type.h"

namespace patchbay {

// `in`, which model_field says is a `to` or narrower, in the layout of arrow_type(to). Shares the
// buffers wherever that is its layout already. Fails where a value has no exact counterpart: digits
// beyond the type, nanoseconds unless `truncate`, text that is no UTF-8, JSON that is none.
arrow::Result<std::shared_ptr<arrow::Array>> convert(const std::shared_ptr<arrow::Array>& in,
                                                     const Type& to, bool truncate);

// The rows for which convert fails.
std::vector<int64_t> misfits(const arrow::Array& in, const Type& to, bool truncate);

// Columns of so many rows as one struct array for the ABI.
Array export_columns(const std::string& subject, int64_t rows, const arrow::ArrayVector& columns);

}  // namespace patchbay
