// Batches as JSON text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/text_buffer.h"
#include "patchbay/view.h"

namespace patchbay {

struct JsonStyle {
  bool skip_nulls = false;    // leave null members out of objects
  bool json_as_text = false;  // arrow.json columns as strings that hold JSON
  // Decimals of up to 15 digits as numbers: whoever reads them as doubles gets them exactly.
  bool small_decimals_as_numbers = false;
};

// A column that writes its values as JSON: compiled once per batch, no decision by name per value.
// Timestamps and dates are ISO 8601 text, decimals strings, binary base64, arrow.json columns their
// own JSON.
class JsonColumn {
 public:
  virtual ~JsonColumn() = default;
  virtual void put(TextBuffer& out, int64_t row) const = 0;
  // The name, the value and a comma; with `skip_nulls` nothing for null.
  virtual void put_member(TextBuffer& out, std::string_view name, int64_t row,
                          bool skip_nulls) const = 0;
  virtual bool is_null(int64_t row) const = 0;
};

std::unique_ptr<JsonColumn> json_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length, const JsonStyle& style);

// Row after row of one batch as JSON objects. Borrows the batch; one thread at a time.
class JsonRows {
 public:
  JsonRows(const Schema& schema, const ArrowArray& array, JsonStyle style = {});
  JsonRows(const std::vector<Field>& members, const ArrowArray& array, int64_t offset,
           int64_t length, JsonStyle style);
  void append(std::string& out, int64_t row) const;
  void put(TextBuffer& out, int64_t row) const;

 private:
  std::vector<std::string> names_;  // quoted, with the colon
  std::vector<std::unique_ptr<JsonColumn>> columns_;
  JsonStyle style_;
  mutable TextBuffer row_;
};

}  // namespace patchbay
