// The JSON Schema of pipeline files without the options of plugins.
#pragma once

#include <json/value.h>

namespace patchbay::host {

const Json::Value& pipeline_file_schema();

}  // namespace patchbay::host
