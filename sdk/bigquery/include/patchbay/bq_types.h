// Schemas of BigQuery's tables and queries as streams'.
#pragma once

#include <json/value.h>

#include <string>

#include "patchbay/type.h"

namespace patchbay {

// `fields` as tables.get and queries answer them.
Schema schema_of_table(const std::string& stream, const Json::Value& fields);

}  // namespace patchbay
