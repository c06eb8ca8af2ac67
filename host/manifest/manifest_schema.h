// The JSON Schema of manifests themselves.
#pragma once

#include <json/value.h>

namespace patchbay::host {

const Json::Value& manifest_schema();

}  // namespace patchbay::host
