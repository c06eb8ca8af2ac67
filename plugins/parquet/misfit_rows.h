// The rows of a batch that have a value without a counterpart in the stream's types.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <set>
#include <string>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/type.h"

namespace patchbay {

class MisfitRows {
 public:
  // `columns` as the file has them, in the order of the stream's fields. Both outlive this.
  MisfitRows(const Schema& stream, const arrow::ArrayVector& columns, bool truncate);

  int64_t count() const { return static_cast<int64_t>(rows_.size()); }
  // Refuses each, with the number of its row in the file, where the batch begins after `before`.
  void reject(Call& call, const std::string& file, int64_t before) const;
  // The columns without these rows.
  arrow::Result<arrow::ArrayVector> others() const;

 private:
  std::string record(int64_t row) const;
  std::string reason(size_t column) const;

  const Schema& stream_;
  const arrow::ArrayVector& columns_;
  const bool truncate_;
  std::vector<std::set<int64_t>> by_column_;
  std::set<int64_t> rows_;
};

}  // namespace patchbay
