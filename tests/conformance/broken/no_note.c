/* Has an entry and no note: it must not run. */
#include <patchbay/abi.h>
#include <stdlib.h>

const bay_plugin* patchbay_plugin_v1(const bay_host* host) {
  (void)host;
  abort();
}
