// What the model's rules say and count with; no rule.
#pragma once

#include <map>
#include <string>

#include "simulation/model.h"

namespace patchbay::model {

inline std::string words(const Row& row) {
  return "row " + std::to_string(row.id) + " (" + row.stream + " " + row.part + ", key " +
         std::to_string(row.key) + ", order " + std::to_string(row.order) + ")";
}

inline std::map<Id, int> copies_of(const Sink& sink) {
  std::map<Id, int> copies;
  if (sink.moments.empty()) return copies;
  for (const auto& [id, other] : sink.moments.back().rows) ++copies[id];
  return copies;
}

inline int count(const std::map<Id, int>& copies, Id id) {
  return copies.contains(id) ? copies.at(id) : 0;
}

}  // namespace patchbay::model
