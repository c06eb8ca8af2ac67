// The only file that includes valijson: it is slow to compile.
#include <valijson/adapters/jsoncpp_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "manifest/config_check.h"

namespace patchbay::host {
namespace {

// valijson takes memory without looking whether it got any, and crashes where it did not. What it
// may take at most is asked for before, where std::bad_alloc tells.
void require_memory() {
  constexpr size_t kMost = 8 << 20;
  ::operator delete(::operator new(kMost));
}

}  // namespace

std::string validate_json_schema(const Json::Value& schema, const Json::Value& value) {
  require_memory();
  valijson::Schema parsed;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::JsonCppAdapter(schema), parsed);
  valijson::ValidationResults results;
  if (valijson::Validator().validate(parsed, valijson::adapters::JsonCppAdapter(value), &results))
    return "";
  valijson::ValidationResults::Error error;
  std::string text = "does not conform to its schema";
  while (results.popError(error)) {
    std::string path;
    for (const auto& part : error.context) path += part == "<root>" ? "" : part;
    text = (path.empty() ? "" : path + ": ") + error.description;
  }
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace patchbay::host
