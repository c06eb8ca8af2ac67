#include "chain.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::chain::Rows>("rows"),
                patchbay::component<patchbay::chain::Gross>("gross"),
                patchbay::component<patchbay::chain::Pass>("pass"),
                patchbay::component<patchbay::chain::Total>("total"))
