#include "patchbay/bq_reference.h"

#include "patchbay/bq_types.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

constexpr const char* kSystem = "bigquery";

}  // namespace

Schema schema_of_reference(const std::string& stream, const BqReference& reference) {
  Json::Value json;
  json["system"] = kSystem;
  json["endpoint"] = reference.place.endpoint;
  json["project"] = reference.place.project;
  json["location"] = reference.place.location;
  json["allow_http"] = reference.http.allow_http;
  json["ca_file"] = reference.http.ca_file;
  json["proxy"] = reference.http.proxy;
  json["query"] = reference.query;
  json["fields"] = reference.fields;
  Schema schema = schema_of_table(stream, reference.fields);
  schema.reference = write_json(json);
  return schema;
}

BqReference reference_of(const Schema& stream) {
  const Json::Value json =
      stream.reference.empty() ? Json::Value(Json::objectValue) : parse_json(stream.reference);
  if (json["system"].asString() != kSystem) {
    throw Error(Code::kConfig, "stream " + stream.name +
                                   ": sends rows, where tables inside BigQuery are needed; read "
                                   "them by reference");
  }
  BqReference out;
  out.place = {json["endpoint"].asString(), json["project"].asString(), "",
               json["location"].asString()};
  out.http.option = "endpoint";
  out.http.allow_http = json["allow_http"].asBool();
  out.http.ca_file = json["ca_file"].asString();
  out.http.proxy = json["proxy"].asString();
  out.query = json["query"].asString();
  out.fields = json["fields"];
  return out;
}

void require_same_server(const std::string& subject, const BqPlace& a, const BqPlace& b) {
  const auto differ = [&](const char* option, const std::string& one, const std::string& other) {
    throw Error(Code::kConfig, subject + ": is at " + option + " " + one + ", and not at " + other +
                                   ", where the other tables are; one query works in one place");
  };
  if (a.endpoint != b.endpoint) differ("endpoint", a.endpoint, b.endpoint);
  if (a.location != b.location) differ("location", a.location, b.location);
}

}  // namespace patchbay
