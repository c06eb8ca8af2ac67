// The spelling of field names.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "patchbay/type.h"

namespace patchbay {

// survey_response_id -> surveyResponseId: split at _, the first word as it is, of the others every
// letter after a non-letter in capitals and the rest small. So x_3d_y -> x3DY and _x -> X.
std::string camel_case(std::string_view name);
std::string snake_case(
    std::string_view name);  // InvoiceNo -> invoice_no, HTTPStatus -> http_status
std::string lower_case(std::string_view name);

using Spelling = std::string (*)(std::string_view);

// Every name, of nested structs and lists too. Throws Error kConfig naming both fields where two
// become one.
Schema respell(const Schema& schema, Spelling spelling);
// Top-level names; throws as above, and for a name that the stream does not have.
Schema rename(const Schema& schema, const std::map<std::string, std::string>& names);

}  // namespace patchbay
