// The contract compiles as C++20, twice in one file, with the macros in use.
#include <patchbay/abi.h>

#include <type_traits>

BAY_PLUGIN_NOTE("abi", "1.0.0", 0);

static_assert(std::is_standard_layout_v<bay_host> && std::is_trivial_v<bay_host>);
static_assert(std::is_standard_layout_v<bay_event> && std::is_trivial_v<bay_event>);
static_assert(std::is_standard_layout_v<bay_plugin> && std::is_trivial_v<bay_plugin>);

bool abi_has_abort(const bay_sink_vt* sink);
bool abi_has_abort(const bay_sink_vt* sink) { return BAY_HAS(sink, bay_sink_vt, abort); }
