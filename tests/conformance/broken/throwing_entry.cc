// Its entry throws.
#include <patchbay/abi.h>

#include <stdexcept>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

extern "C" BAY_EXPORT const bay_plugin* patchbay_plugin_v1(const bay_host*) {
  throw std::runtime_error("thrown by the entry");
}
