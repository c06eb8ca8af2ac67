/* Built for the next major version: it must not run. */
#include <patchbay/abi.h>
#include <stdlib.h>

#undef BAY_ABI_MAJOR
#define BAY_ABI_MAJOR 2u
BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  abort();
}
