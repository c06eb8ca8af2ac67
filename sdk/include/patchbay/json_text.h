// Values of batches as JSON text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/view.h"

namespace patchbay {

// Quotes and escapes (RFC 8259). Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_int(std::string& out, int64_t value);
// Shortest text that reads back as the same number; NaN and infinities as the strings "NaN",
// "Infinity", "-Infinity".
void append_json_double(std::string& out, double value);
void append_json_double(std::string& out, float value);
std::string base64(std::string_view bytes);  // RFC 4648, with padding

// A column that appends its values as JSON: compiled once per batch, no decision by name per value.
// Timestamps and dates are ISO 8601 text, decimals strings, binary base64, arrow.json columns their
// own JSON.
class JsonColumn {
 public:
  virtual ~JsonColumn() = default;
  virtual void append(std::string& out, int64_t row) const = 0;
  virtual bool is_null(int64_t row) const = 0;
};

struct JsonStyle {
  bool skip_nulls = false;    // leave null members out of objects
  bool json_as_text = false;  // arrow.json columns as strings that hold JSON
  // Decimals of up to 15 digits as numbers: whoever reads them as doubles gets them exactly.
  bool small_decimals_as_numbers = false;
};

std::unique_ptr<JsonColumn> json_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length, const JsonStyle& style);

// Appends row after row of one batch as JSON objects. Borrows the batch.
class JsonRows {
 public:
  JsonRows(const Schema& schema, const ArrowArray& array, JsonStyle style = {});
  JsonRows(const std::vector<Field>& members, const ArrowArray& array, int64_t offset,
           int64_t length, JsonStyle style);
  void append(std::string& out, int64_t row) const;

 private:
  std::vector<std::string> names_;  // quoted, with the colon
  std::vector<std::unique_ptr<JsonColumn>> columns_;
  JsonStyle style_;
};

}  // namespace patchbay
