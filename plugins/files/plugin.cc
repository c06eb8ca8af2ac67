#include "files_sink.h"
#include "files_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::FilesSource>("files"),
                patchbay::component<patchbay::FilesSink>("files"))
