// The columns of survey responses.
#pragma once

#include "patchbay/type.h"

namespace patchbay {

// Stream `responses`; a row is identified by id and sequence.
Schema qreviews_schema();

}  // namespace patchbay
