// Arrow's types and the model's.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "patchbay/type.h"

namespace patchbay {

// What a column becomes. Throws Error kData for a type without an exact counterpart: `file` and the
// column's path are its subject.
Field model_field(const arrow::Field& field, const std::string& file);

// The Arrow type with the layout that the ABI wants; JSON is utf8.
std::shared_ptr<arrow::DataType> arrow_type(const Type& type);

// The schema as Arrow's C++ has it, with JSON as its extension type.
std::shared_ptr<arrow::Schema> arrow_schema(const Schema& schema);

// Whether each value of `from` is a value of `to`.
bool widens(const Type& from, const Type& to);

}  // namespace patchbay
