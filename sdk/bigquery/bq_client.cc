#include "patchbay/bq_client.h"

#include <cstdlib>

#include "bq_answers.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using bq_answers::inside, bq_answers::text_inside;

bool is_reason(const HttpResponse& response, const char* reason) {
  return parse_google_error(response).reason == reason;
}

// errorResult is often the first of them, and may say no more than that there are others:
// https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatus
std::vector<std::string> details_of(const Json::Value& job, const std::string& message) {
  constexpr size_t kMost = 3;
  std::vector<std::string> out;
  const Json::Value& errors = inside(job, {"status", "errors"});
  if (!errors.isArray()) return out;
  for (const auto& error : errors) {
    const std::string where = text_inside(error, {"location"}),
                      what = text_inside(error, {"message"});
    if (what.empty() || what == message || out.size() == kMost) continue;
    out.push_back(where.empty() ? what : where + ": " + what);
  }
  return out;
}

BqJobOutcome outcome_of(const Json::Value& job) {
  const Json::Value& error = inside(job, {"status", "errorResult"});
  if (!error.isNull()) {
    BqJobOutcome out{false, text_inside(error, {"reason"}), text_inside(error, {"message"})};
    out.details = details_of(job, out.message);
    return out;
  }
  const std::string rows = text_inside(job, {"statistics", "query", "numDmlAffectedRows"});
  return {true, "", "", std::strtoll(rows.c_str(), nullptr, 10)};
}

}  // namespace

std::string bq_table(const BqPlace& place, const std::string& table) {
  return "`" + place.project + "." + place.dataset + "." + table + "`";
}

std::shared_ptr<GoogleCredentials> bq_credentials(Call& call, const std::optional<Secret>& secret) {
  return secret ? GoogleCredentials::from_json(call.secret(*secret))
                : GoogleCredentials::find_default();
}

BqClient::BqClient(BqPlace place, std::shared_ptr<GoogleCredentials> credentials,
                   HttpOptions options)
    : place_(std::move(place)), api_(std::move(credentials), std::move(options)) {}

std::string BqClient::project_url(const std::string& rest) const {
  return place_.endpoint + "/bigquery/v2/projects/" + percent_encode(place_.project) + rest;
}

std::string BqClient::dataset_url(const std::string& rest) const {
  return project_url("/datasets/" + percent_encode(place_.dataset) + rest);
}

HttpRequest BqClient::json_request(const std::string& method, const std::string& url,
                                   const Json::Value& body) const {
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.headers = {"Content-Type: application/json"};
  request.body = write_json(body);
  return request;
}

bool BqClient::has_dataset(Call& call) {
  HttpRequest request;
  request.url = dataset_url("");
  const HttpResponse response = api_.send(call, request);
  if (response.status == 404) return false;
  if (response.status >= 300) GoogleApi::fail(request, response);
  return true;
}

void BqClient::create_dataset(Call& call) {
  Json::Value body;
  body["datasetReference"]["projectId"] = place_.project;
  body["datasetReference"]["datasetId"] = place_.dataset;
  body["location"] = place_.location;
  HttpRequest request = json_request("POST", project_url("/datasets"), body);
  request.safe_to_repeat = true;
  const HttpResponse response = api_.send(call, request);
  if (response.status >= 300 && response.status != 409) GoogleApi::fail(request, response);
}

std::optional<Json::Value> BqClient::get_table(Call& call, const std::string& table) {
  HttpRequest request;
  request.url = dataset_url("/tables/" + percent_encode(table));
  const HttpResponse response = api_.send(call, request);
  if (response.status == 404) return std::nullopt;
  if (response.status >= 300) GoogleApi::fail(request, response);
  return bq_answers::table(request, response);
}

bool BqClient::create_table(Call& call, const std::string& table, Json::Value resource,
                            std::chrono::seconds expires_in) {
  Json::Value body = std::move(resource);
  body["tableReference"]["projectId"] = place_.project;
  body["tableReference"]["datasetId"] = place_.dataset;
  body["tableReference"]["tableId"] = table;
  if (expires_in.count() > 0) {
    const auto at = std::chrono::system_clock::now() + expires_in;
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
    body["expirationTime"] = std::to_string(ms);
  }
  HttpRequest request = json_request("POST", dataset_url("/tables"), body);
  request.safe_to_repeat = true;
  const HttpResponse response = api_.send(call, request);
  if (response.status == 409) return false;
  if (response.status >= 300) GoogleApi::fail(request, response);
  return true;
}

void BqClient::patch_schema(Call& call, const std::string& table, const Json::Value& schema,
                            const std::string& etag) {
  Json::Value body;
  body["schema"] = schema;
  HttpRequest request =
      json_request("PATCH", dataset_url("/tables/" + percent_encode(table)), body);
  if (!etag.empty()) request.headers.push_back("If-Match: " + etag);
  request.safe_to_repeat = true;  // the whole schema: a repeat changes nothing more
  api_.require(call, request);
}

bool BqClient::delete_table(Call& call, const std::string& table) {
  HttpRequest request;
  request.method = "DELETE";
  request.url = dataset_url("/tables/" + percent_encode(table));
  const HttpResponse response = api_.send(call, request);
  if (response.status == 404) return false;
  if (response.status >= 300) GoogleApi::fail(request, response);
  return true;
}

std::optional<Json::Value> BqClient::get_job(Call& call, const std::string& id) {
  HttpRequest request;
  request.url =
      project_url("/jobs/" + percent_encode(id) + "?location=" + percent_encode(place_.location));
  const HttpResponse response = api_.send(call, request);
  if (response.status == 404) return std::nullopt;
  if (response.status >= 300) GoogleApi::fail(request, response);
  return bq_answers::object(request, response);
}

BqJobOutcome BqClient::wait_for(Call& call, const std::string& id, Json::Value job) {
  auto wait = std::chrono::milliseconds(20);
  while (text_inside(job, {"status", "state"}) != "DONE") {
    wait_or_cancel(call, wait);
    wait = std::min(wait * 2, std::chrono::milliseconds(3000));
    auto again = get_job(call, id);
    if (!again)
      throw Error(Code::kUnavailable, "job " + id + ": was there and is not found any more");
    job = std::move(*again);
  }
  return outcome_of(job);
}

std::optional<BqJobOutcome> BqClient::find_job(Call& call, const std::string& id) {
  auto job = get_job(call, id);
  if (!job) return std::nullopt;
  return wait_for(call, id, std::move(*job));
}

HttpRequest BqClient::job_request(const std::string& id, const Json::Value& configuration) const {
  Json::Value body;
  body["jobReference"]["projectId"] = place_.project;
  if (!id.empty()) body["jobReference"]["jobId"] = id;
  body["jobReference"]["location"] = place_.location;
  body["configuration"] = configuration;
  HttpRequest request = json_request("POST", project_url("/jobs"), body);
  request.safe_to_repeat = true;  // a second insert under the same id answers `duplicate`
  return request;
}

void BqClient::cancel_job(Call& call, const std::string& id) {
  HttpRequest request;
  request.method = "POST";
  request.url = project_url("/jobs/" + percent_encode(id) +
                            "/cancel?location=" + percent_encode(place_.location));
  request.safe_to_repeat = true;
  const HttpResponse response = api_.send(call, request);
  if (response.status >= 500) GoogleApi::fail(request, response);
}

BqDryRun BqClient::dry_run(Call& call, const std::string& sql) {
  Json::Value configuration;
  configuration["dryRun"] = true;
  configuration["query"]["query"] = sql;
  configuration["query"]["useLegacySql"] = false;
  const HttpRequest request = job_request("", configuration);
  const HttpResponse response = api_.send(call, request);
  if (response.status == 404 || response.status == 400) {
    const GoogleError error = parse_google_error(response);
    return {{false, error.reason, error.message}, {}};
  }
  if (response.status >= 300) GoogleApi::fail(request, response);
  const Json::Value job = bq_answers::object(request, response);
  return {outcome_of(job), inside(job, {"statistics", "query", "schema", "fields"})};
}

BqJobOutcome BqClient::run_job(Call& call, const std::string& id,
                               const Json::Value& configuration) {
  const HttpRequest request = job_request(id, configuration);
  const HttpResponse response = api_.send(call, request);
  if (response.status == 409 && is_reason(response, "duplicate")) {
    auto outcome = find_job(call, id);
    if (!outcome)
      throw Error(Code::kUnavailable, "job " + id + ": answers duplicate, but is not found");
    outcome->repeated = true;
    return *outcome;
  }
  if (response.status >= 300) {
    const GoogleError error = parse_google_error(response);
    if (response.status == 404 || response.status == 400)
      return {false, error.reason, error.message};
    GoogleApi::fail(request, response);
  }
  return wait_for(call, id, bq_answers::object(request, response));
}

GoogleUpload BqClient::begin_upload(Call& call, const std::string& id,
                                    const Json::Value& configuration, BqWords without_values) {
  Json::Value body;
  body["jobReference"]["projectId"] = place_.project;
  body["jobReference"]["jobId"] = id;
  body["jobReference"]["location"] = place_.location;
  body["configuration"] = configuration;
  HttpRequest request =
      json_request("POST",
                   place_.endpoint + "/upload/bigquery/v2/projects/" +
                       percent_encode(place_.project) + "/jobs?uploadType=resumable",
                   body);
  request.headers.emplace_back("X-Upload-Content-Type: application/octet-stream");
  request.safe_to_repeat = true;  // a session alone does nothing
  request.without_values = std::move(without_values);
  return GoogleUpload(call, api_, request);
}

namespace {

constexpr const char* kPage = "maxResults=10000&formatOptions.useInt64Timestamp=true";

}  // namespace

Json::Value BqClient::list_rows(Call& call, const std::string& table,
                                const std::string& page_token) {
  HttpRequest request;
  request.url = dataset_url("/tables/" + percent_encode(table) + "/data?" + kPage);
  if (!page_token.empty()) request.url += "&pageToken=" + percent_encode(page_token);
  return bq_answers::page(request, api_.require(call, request));
}

Json::Value BqClient::start_query(Call& call, const std::string& sql) {
  Json::Value body;
  body["query"] = sql;
  body["useLegacySql"] = false;
  body["location"] = place_.location;
  body["maxResults"] = 10000;
  body["formatOptions"]["useInt64Timestamp"] = true;
  body["defaultDataset"]["projectId"] = place_.project;
  body["defaultDataset"]["datasetId"] = place_.dataset;
  HttpRequest request = json_request("POST", project_url("/queries"), body);
  request.safe_to_repeat = true;  // a SELECT
  Json::Value answer = bq_answers::page(request, api_.require(call, request));
  const std::string job = text_inside(answer, {"jobReference", "jobId"});
  while (!answer["jobComplete"].isBool() || !answer["jobComplete"].asBool())
    answer = query_page(call, job, "");
  return answer;
}

Json::Value BqClient::query_page(Call& call, const std::string& job,
                                 const std::string& page_token) {
  HttpRequest request;
  request.url = project_url("/queries/" + percent_encode(job) +
                            "?location=" + percent_encode(place_.location) + "&" + kPage);
  if (!page_token.empty()) request.url += "&pageToken=" + percent_encode(page_token);
  return bq_answers::page(request, api_.require(call, request));
}

Json::Value BqClient::insert_all(Call& call, const std::string& table, const std::string& body,
                                 BqWords without_values) {
  HttpRequest request;
  request.method = "POST";
  request.url = dataset_url("/tables/" + percent_encode(table) + "/insertAll");
  request.headers = {"Content-Type: application/json"};
  request.body = body;
  request.safe_to_repeat = true;  // insertId: a row that came before is dropped
  request.without_values = std::move(without_values);
  return bq_answers::insert_errors(request, api_.require(call, request));
}

}  // namespace patchbay
