/* The contract compiles as C11, twice in one file, and its structs have no hidden padding rules. */
#include <patchbay/abi.h>

BAY_PLUGIN_NOTE("abi", "1.0.0", 0);

_Static_assert(offsetof(bay_host, struct_size) == 0, "struct_size comes first");
_Static_assert(offsetof(bay_event, struct_size) == 0, "struct_size comes first");
_Static_assert(offsetof(bay_component, struct_size) == 0, "struct_size comes first");
_Static_assert(offsetof(bay_plugin, struct_size) == 0, "struct_size comes first");
_Static_assert(sizeof(bay_str) == 2 * sizeof(void*), "two words");

int abi_has_abort(const bay_sink_vt* sink);
int abi_has_abort(const bay_sink_vt* sink) { return BAY_HAS(sink, bay_sink_vt, abort) ? 1 : 0; }
