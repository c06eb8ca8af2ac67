#include "csv_decode.h"
#include "csv_encode.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::CsvDecode>("decode"),
                patchbay::component<patchbay::CsvEncode>("encode"))
