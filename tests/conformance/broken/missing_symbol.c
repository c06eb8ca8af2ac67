/* Has a note and no entry. */
#include <patchbay/abi.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);
