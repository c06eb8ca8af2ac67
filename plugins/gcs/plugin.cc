#include "gcs_sink.h"
#include "gcs_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::GcsSource>("gcs"),
                patchbay::component<patchbay::GcsSink>("gcs"))
