#include "parquet_decode.h"
#include "parquet_encode.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::ParquetDecode>("decode"),
                patchbay::component<patchbay::ParquetEncode>("encode"))
