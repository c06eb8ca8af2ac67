#include "bq_target.h"

#include <cstdlib>

#include "bq_names.h"
#include "bq_schema.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

int64_t number_of(const Json::Value& text) {
  return text.isString() ? std::strtoll(text.asCString(), nullptr, 10) : 0;
}

// Rows that are older than the partitions' age would vanish before they are copied.
Json::Value without_expiration(Json::Value partitioning) {
  partitioning.removeMember("expirationMs");
  partitioning.removeMember("requirePartitionFilter");
  return partitioning;
}

Json::Value partitioned_like(const Json::Value& resource) {
  Json::Value out;
  if (resource.isMember("timePartitioning"))
    out["timePartitioning"] = without_expiration(resource["timePartitioning"]);
  for (const char* how : {"rangePartitioning", "clustering"}) {
    if (resource.isMember(how)) out[how] = resource[how];
  }
  return out;
}

void require_column(const Json::Value& fields, const Json::Value& resource,
                    const std::string& column, const char* what) {
  if (find_column(fields, column)) return;
  throw Error(Code::kSchema, "table " + resource["tableReference"]["tableId"].asString() + ": is " +
                                 what + " by " + column +
                                 ", which the stream lacks, so that it can't be made anew; add the "
                                 "field with `fields`, or drop the table");
}

}  // namespace

std::vector<tables::Column> columns_of_target(const Json::Value& resource) {
  std::vector<tables::Column> out;
  for (const auto& field : resource["schema"]["fields"]) {
    out.push_back({field["name"].asString(), field["type"].asString(), false,
                   field.isMember("defaultValueExpression")});
  }
  return out;
}

int64_t rows_of_target(const Json::Value& resource) {
  return number_of(resource["numRows"]) +
         number_of(resource.get("streamingBuffer", Json::objectValue)["estimatedRows"]);
}

bool requires_filter(const Json::Value& resource) {
  const Json::Value& time = resource["timePartitioning"];
  const auto is_set = [](const Json::Value& value) { return value.isBool() && value.asBool(); };
  return is_set(resource["requirePartitionFilter"]) ||
         (time.isObject() && is_set(time["requirePartitionFilter"]));
}

Json::Value staging_like(const Json::Value& resource) {
  Json::Value out = partitioned_like(resource);
  out["schema"] = resource["schema"];
  return out;
}

Json::Value staging_for_merge(const Json::Value& resource, const std::vector<std::string>& keys) {
  Json::Value out;
  out["schema"] = resource["schema"];
  for (auto& field : out["schema"]["fields"]) {
    for (const auto& key : keys) {
      if (tables::same_column(kBqNames, field["name"].asString(), key)) field["mode"] = "REQUIRED";
    }
  }
  Json::Value number;
  number["name"] = kBqRowNumber;
  number["type"] = "INTEGER";
  out["schema"]["fields"].append(number);
  return out;
}

Json::Value staging_anew(const Json::Value& fields, const Json::Value& resource) {
  Json::Value out = partitioned_like(resource);
  for (const char* how : {"timePartitioning", "rangePartitioning"}) {
    const std::string column = out.isMember(how) ? out[how]["field"].asString() : "";
    if (!column.empty()) require_column(fields, resource, column, "partitioned");
  }
  if (out.isMember("clustering")) {
    for (const auto& column : out["clustering"]["fields"])
      require_column(fields, resource, column.asString(), "clustered");
  }
  out["schema"]["fields"] = fields;
  return out;
}

int64_t count_fields(const Json::Value& fields) {
  int64_t out = 0;
  for (const auto& field : fields) out += 1 + count_fields(field["fields"]);
  return out;
}

}  // namespace patchbay
