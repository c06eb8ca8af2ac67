#include "bq_sink.h"
#include "bq_source.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::BqSource>("bq"),
                patchbay::component<patchbay::BqSink>("bq"))
