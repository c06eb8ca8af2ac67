/* Its note names another plugin: it must not run. */
#include <patchbay/abi.h>
#include <stdlib.h>

BAY_PLUGIN_NOTE("another", PATCHBAY_PLUGIN_VERSION, 0);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  abort();
}
