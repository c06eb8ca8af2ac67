/* Its note names another version: it must not run. */
#include <patchbay/abi.h>
#include <stdlib.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, "9.9.9", 0);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  abort();
}
