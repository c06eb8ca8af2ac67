// Run ids: ULIDs, which sort by time. https://github.com/ulid/spec
#pragma once

#include <chrono>
#include <string>

namespace patchbay::host {

std::string make_ulid(std::chrono::system_clock::time_point at);
std::string iso_time(std::chrono::system_clock::time_point at);  // 2026-01-01T06:00:00Z

}  // namespace patchbay::host
