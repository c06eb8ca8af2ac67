/* Linked as no plugin may be; nobody loads it. */
#include <patchbay/abi.h>
#include <stddef.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

__asm__(".text\n.quad patchbay_plugin_v1\n");

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  return NULL;
}
