// Rows as the JSON that load jobs and insertAll take:
// https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/json_text.h"

namespace patchbay {

class BqEncoder {
 public:
  // `table_fields` decides which text has to be of another type; `json_as_text` as insertAll wants
  // it.
  BqEncoder(SchemaPtr stream, const Json::Value& table_fields, bool json_as_text);

  // Rows whose text is no value of its column are refused; the rest stays.
  Batch without_misfits(Call& call, Batch batch) const;
  JsonRows rows(const Batch& batch) const { return JsonRows(*stream_, batch.array(), style_); }

 private:
  struct Parsed {
    size_t column;
    Type type;
  };
  SchemaPtr stream_;
  JsonStyle style_;
  std::vector<Parsed> parsed_;
};

}  // namespace patchbay
