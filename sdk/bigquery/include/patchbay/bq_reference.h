// Streams by reference whose rows stay in BigQuery: what a source says of its tables, `sql` of its
// results, and a sink is told.
#pragma once

#include "patchbay/bq_client.h"
#include "patchbay/type.h"

namespace patchbay {

struct BqReference {
  BqPlace place;  // no dataset; the project pays for what has no job of its own
  HttpOptions http;
  std::string query;   // one SELECT that names its tables in full
  Json::Value fields;  // of its rows, with the types that BigQuery has
};

// The schema of a stream that stands for the reference.
Schema schema_of_reference(const std::string& stream, const BqReference& reference);
// Throws kConfig where the stream's rows are not in BigQuery.
BqReference reference_of(const Schema& stream);

// Throws kConfig, naming `subject`, unless both are on one server and in one location.
void require_same_server(const std::string& subject, const BqPlace& a, const BqPlace& b);

}  // namespace patchbay
