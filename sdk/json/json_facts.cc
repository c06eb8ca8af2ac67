// What single JSON texts are, short of reading them.
#include <cmath>

#include "json_nodes.h"
#include "patchbay/json_records.h"

namespace patchbay {

namespace od = simdjson::ondemand;
using namespace json_nodes;

Type type_of_json(std::string_view text) {
  od::parser parser;
  const simdjson::padded_string padded(text);
  od::document document = parser.iterate(padded);
  od::value value;
  if (document.get_value().get(value) == simdjson::SUCCESS) return type_of_value(value);
  // A scalar alone is a document of its own.
  od::json_type type;
  if (document.type().get(type)) return json_text();
  if (type == od::json_type::string) return scalar(TypeId::kUtf8);
  if (type == od::json_type::boolean) return scalar(TypeId::kBool);
  if (type != od::json_type::number) return json_text();
  const bool integer = text.find_first_of(".eE") == std::string_view::npos;
  return scalar(integer ? TypeId::kInt64 : TypeId::kFloat64);
}

std::optional<int64_t> integer_member(std::string_view record, std::string_view name) {
  od::parser parser;
  const simdjson::padded_string padded(record);
  od::document document;
  od::value value;
  if (parser.iterate(padded).get(document) || document.find_field_unordered(name).get(value))
    return std::nullopt;
  int64_t integer = 0;
  if (!value.get_int64().get(integer)) return integer;
  double number = 0;
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value.get_double().get(number) || number != std::trunc(number) || std::abs(number) > kExact)
    return std::nullopt;
  return static_cast<int64_t>(number);
}

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

}  // namespace patchbay
