// What a sink has to do to a table before a stream's rows fit, as plan_schema lists it and
// apply_schema gets it back.
#pragma once

#include <json/value.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "patchbay/tables/names.h"
#include "patchbay/type.h"

namespace patchbay::tables {

struct SchemaStep {
  // kRecreateTable changes nothing when it is applied: the commit makes the table anew.
  enum class Kind { kCreateDataset, kCreateTable, kAddColumn, kRecreateTable };

  Kind kind = Kind::kCreateTable;
  std::string table;
  // kAddColumn: the path of the field, and its type.
  std::string field{};
  Type type{};
  // False where the pipeline's policy declined the step.
  bool apply = true;
};

// As the ABI has them. The second throws kInternal for an action that no sink has.
Json::Value to_json(const std::vector<SchemaStep>& steps);
std::vector<SchemaStep> steps_from_json(const Json::Value& steps);

// The steps with the word that the table has rows.
Json::Value with_rows(Json::Value steps, const std::string& table);

// The fields that the pipeline's policy left out, by stream. A sink holds one for its lifetime: a
// field without a column is an error unless it is here.
class DeclinedFields {
 public:
  // Called by apply_schema, each time anew for the stream.
  void note(const std::string& stream, const std::vector<SchemaStep>& steps);
  bool holds(const std::string& stream, const std::string& path) const;
  bool any(const std::string& stream) const;

 private:
  std::map<std::string, std::set<std::string>> paths_;
};

}  // namespace patchbay::tables
