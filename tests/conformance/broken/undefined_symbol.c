/* Refers to a function that nobody has. */
#include <patchbay/abi.h>
#include <stddef.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

const bay_plugin* patchbay_nowhere(const bay_host* host);

const bay_plugin* patchbay_plugin_v1(const bay_host* host) { return patchbay_nowhere(host); }
