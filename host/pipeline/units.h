// Durations (60s, 10m, 500ms, 2h), sizes (8MiB, 500kB) and shares (5%) in configuration.
#pragma once

#include <json/value.h>

#include <chrono>
#include <string>

namespace patchbay::host {

// Throw Error kConfig "commit.every: must be ..." with the name given. A plain number is seconds,
// or bytes.
std::chrono::milliseconds parse_duration(const std::string& name, const Json::Value& value);
int64_t parse_size(const std::string& name, const Json::Value& value);
double parse_percent(const std::string& name, const std::string& text);

}  // namespace patchbay::host
