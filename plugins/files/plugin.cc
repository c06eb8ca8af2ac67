#include "files_store.h"
#include "patchbay/objects/object_sink.h"
#include "patchbay/objects/object_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::SourceOf<patchbay::FileStore>>("files"),
                patchbay::component<patchbay::SinkOf<patchbay::FileStore>>("files"))
