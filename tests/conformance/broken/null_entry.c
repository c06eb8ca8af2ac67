/* Its entry gives no table. */
#include <patchbay/abi.h>
#include <stddef.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  return NULL;
}
