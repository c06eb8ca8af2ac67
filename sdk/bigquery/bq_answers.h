// What BigQuery answers, where a proxy or a broken server may answer anything. What these functions
// have seen has the documented shape; all else is Error kRemote. Inner part of bq_client.
#pragma once

#include <json/value.h>

#include <initializer_list>

#include "patchbay/http.h"

namespace patchbay::bq_answers {

Json::Value object(const HttpRequest& request, const HttpResponse& response);
Json::Value table(const HttpRequest& request, const HttpResponse& response);  // with a schema
Json::Value page(const HttpRequest& request, const HttpResponse& response);   // of rows
Json::Value insert_errors(const HttpRequest& request, const HttpResponse& response);

// What stands inside, null where nothing does.
const Json::Value& inside(const Json::Value& value, std::initializer_list<const char*> path);
std::string text_inside(const Json::Value& value, std::initializer_list<const char*> path);

}  // namespace patchbay::bq_answers
