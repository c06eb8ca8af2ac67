// A static object's constructor throws while the library is loaded, which ends the process.
#include <patchbay/abi.h>

#include <stdexcept>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

namespace {
struct Throws {
  Throws() { throw std::runtime_error("thrown while loading"); }
} throws;
}  // namespace

extern "C" BAY_EXPORT const bay_plugin* patchbay_plugin_v1(const bay_host*) { return nullptr; }
