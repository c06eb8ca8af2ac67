/* Needs a minor version that no host has: it must not run. */
#include <patchbay/abi.h>
#include <stdlib.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 9999);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  abort();
}
