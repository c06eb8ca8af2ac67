#include "gcs_store.h"
#include "patchbay/objects/object_sink.h"
#include "patchbay/objects/object_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::SourceOf<patchbay::GcsStore>>("gcs"),
                patchbay::component<patchbay::SinkOf<patchbay::GcsStore>>("gcs"))
