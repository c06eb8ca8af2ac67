#include "sqlite_sink.h"
#include "sqlite_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::SqliteSource>("sqlite"),
                patchbay::component<patchbay::SqliteSink>("sqlite"))
