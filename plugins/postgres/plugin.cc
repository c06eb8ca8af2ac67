#include "patchbay/plugin.h"

#include "pg_sink.h"
#include "pg_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::PostgresSource>("postgres"),
                patchbay::component<patchbay::PostgresSink>("postgres"))
