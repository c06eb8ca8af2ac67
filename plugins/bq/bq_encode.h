// Rows as the JSON that load jobs and insertAll take:
// https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
#pragma once

#include <json/value.h>

#include <string>

#include "bq_misfits.h"
#include "patchbay/call.h"
#include "patchbay/json_rows.h"

namespace patchbay {

class BqEncoder {
 public:
  // `json_as_text` as insertAll wants it.
  BqEncoder(SchemaPtr stream, const Json::Value& table_fields, bool json_as_text);

  // Rows that the table can't take are refused; the rest stays.
  Batch without_misfits(Call& call, Batch batch) const;
  JsonRows rows(const Batch& batch) const { return JsonRows(spelled_, batch.array(), style_); }

 private:
  SchemaPtr stream_;
  Schema spelled_;  // the stream, with the names of the table's columns
  JsonStyle style_;
  BqMisfits misfits_;
};

}  // namespace patchbay
