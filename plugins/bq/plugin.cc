#include "bq_sink.h"

PATCHBAY_PLUGIN(patchbay::component<patchbay::BqSink>("bq"))
