// One column's values as fields of COPY .. FROM STDIN in the text format, for columns whose binary
// form is not known.
#pragma once

#include <memory>

#include "field_encoder.h"

namespace patchbay {

// Null as \N, everything that the format gives a meaning escaped.
std::unique_ptr<FieldEncoder> make_text_field(const ColumnOfBatch& column, const PgType& to);

}  // namespace patchbay
