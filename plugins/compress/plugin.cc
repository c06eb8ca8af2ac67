#include "compress_decode.h"
#include "compress_encode.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::CompressDecode>("decode"),
                patchbay::component<patchbay::CompressEncode>("encode"))
