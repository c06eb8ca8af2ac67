#include "json_decode.h"
#include "json_encode.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::JsonDecode>("decode"),
                patchbay::component<patchbay::JsonEncode>("encode"))
