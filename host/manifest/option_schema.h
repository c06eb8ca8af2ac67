// A manifest's own JSON Schemas of options: are they ones?
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

namespace patchbay::host {

// What is wrong with `schema`, each fault beginning with its place under `name`. A misspelt word
// would otherwise check nothing.
void check_option_schema(const Json::Value& schema, const std::string& name,
                         std::vector<std::string>& faults);

}  // namespace patchbay::host
