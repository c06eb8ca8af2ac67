#include "bq_answers.h"

#include "patchbay/json_value.h"

namespace patchbay::bq_answers {
namespace {

[[noreturn]] void refuse(const HttpRequest& request, const HttpResponse& response,
                         const std::string& why) {
  throw Error(Code::kRemote,
              describe(request) + ": answered " + std::to_string(response.status) + " with " + why);
}

bool is_text(const Json::Value& value) { return value.isNull() || value.isString(); }

template <class Check>
bool is_list(const Json::Value& value, Check check) {
  if (value.isNull()) return true;
  if (!value.isArray()) return false;
  for (const auto& one : value)
    if (!one.isObject() || !check(one)) return false;
  return true;
}

bool are_fields(const Json::Value& fields) {
  return is_list(fields, [](const Json::Value& field) {
    return field["name"].isString() && field["type"].isString() && is_text(field["mode"]) &&
           are_fields(field["fields"]);
  });
}

bool is_schema(const Json::Value& schema) {
  return schema.isNull() || (schema.isObject() && are_fields(schema["fields"]));
}

}  // namespace

Json::Value object(const HttpRequest& request, const HttpResponse& response) {
  Json::Value body;
  try {
    body = parse_json(response.body);
  } catch (const std::exception&) {
    refuse(request, response, "a body that is no JSON");
  }
  if (!body.isObject()) refuse(request, response, "JSON that is no object");
  return body;
}

Json::Value table(const HttpRequest& request, const HttpResponse& response) {
  Json::Value body = object(request, response);
  if (!is_schema(body["schema"]) || !is_text(body["etag"]))
    refuse(request, response, "something that is no table");
  return body;
}

Json::Value page(const HttpRequest& request, const HttpResponse& response) {
  Json::Value body = object(request, response);
  const bool is_page = is_list(body["rows"], [](const Json::Value&) { return true; }) &&
                       is_schema(body["schema"]) && is_text(body["pageToken"]);
  if (!is_page) refuse(request, response, "something that is no page of rows");
  return body;
}

Json::Value insert_errors(const HttpRequest& request, const HttpResponse& response) {
  Json::Value body = object(request, response);
  const bool are_errors = is_list(body["insertErrors"], [](const Json::Value& row) {
    return is_list(row["errors"], [](const Json::Value& error) {
      return is_text(error["reason"]) && is_text(error["location"]) && is_text(error["message"]);
    });
  });
  if (!are_errors) refuse(request, response, "something that does not say which rows are in");
  return body;
}

const Json::Value& inside(const Json::Value& value, std::initializer_list<const char*> path) {
  const Json::Value* at = &value;
  for (const char* name : path) {
    if (!at->isObject()) return Json::Value::nullSingleton();
    at = &(*at)[name];
  }
  return *at;
}

std::string text_inside(const Json::Value& value, std::initializer_list<const char*> path) {
  const Json::Value& found = inside(value, path);
  return found.isString() ? found.asString() : "";
}

}  // namespace patchbay::bq_answers
