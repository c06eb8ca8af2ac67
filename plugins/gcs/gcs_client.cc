#include "gcs_client.h"

#include <charconv>

#include "patchbay/json_value.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

constexpr const char* kObjectFields = "name,size,generation,crc32c,timeCreated,updated,metadata";

Json::Value json_of(const HttpRequest& request, const HttpResponse& response) {
  Json::Value json;
  try {
    json = parse_json(response.body);
  } catch (const Error&) {
    json = Json::nullValue;
  }
  if (json.isObject()) return json;
  throw Error(Code::kRemote, describe(request) + ": answered " + std::to_string(response.status) +
                                 " with a body that is no JSON object");
}

std::string text_at(const Json::Value& json, const char* name) {
  return json[name].isString() ? json[name].asString() : "";
}

// int64 fields are JSON strings; some servers write numbers.
int64_t int_at(const Json::Value& json, const char* name) {
  if (json[name].isInt64()) return json[name].asInt64();
  const std::string text = text_at(json, name);
  int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

GcsObject object_of(const Json::Value& json) {
  GcsObject out;
  if (!json.isObject()) throw Error(Code::kRemote, "an object's metadata is no JSON object");
  out.name = text_at(json, "name");
  out.generation = int_at(json, "generation");
  out.size = int_at(json, "size");
  out.crc32c = text_at(json, "crc32c");
  if (json["metadata"].isObject()) out.mark = text_at(json["metadata"], kGcsMark);
  const char* written = json["timeCreated"].isString() ? "timeCreated" : "updated";
  const auto time = parse_timestamp(text_at(json, written));
  if (out.name.empty() || out.generation < 0 || out.size < 0 || !time)
    throw Error(Code::kRemote, "an object's metadata lacks its name, generation, size or time");
  out.modified = time->micros;
  return out;
}

bool is_missing_bucket(const HttpResponse& response) {
  return response.status == 404 &&
         parse_google_error(response).message.find("bucket does not exist") != std::string::npos;
}

// Of x-goog-hash, which comes once with commas or several times.
std::string crc32c_of(const HttpResponse& response) {
  const auto [first, end] = response.headers.equal_range("x-goog-hash");
  for (auto it = first; it != end; ++it) {
    const size_t at = it->second.find("crc32c=");
    if (at == std::string::npos) continue;
    const size_t begin = at + 7;
    return it->second.substr(begin, it->second.find_first_of(", ", begin) - begin);
  }
  return "";
}

}  // namespace

GcsClient::GcsClient(GcsPlace place, std::shared_ptr<GoogleCredentials> credentials,
                     HttpOptions options)
    : place_(std::move(place)), api_(std::move(credentials), std::move(options)) {}

std::string GcsClient::bucket_url(const std::string& rest) const {
  return place_.endpoint + "/storage/v1/b/" + percent_encode(place_.bucket) + rest;
}

std::string GcsClient::object_url(const std::string& name) const {
  return bucket_url("/o/" + percent_encode(name));
}

HttpResponse GcsClient::send(Call& call, const HttpRequest& request) {
  HttpResponse response = api_.send(call, request);
  if (!is_missing_bucket(response)) return response;
  throw Error(Code::kNotFound, "bucket " + place_.bucket + ": is not there");
}

std::optional<GcsObject> GcsClient::find(Call& call, const std::string& name) {
  HttpRequest request;
  request.url = Query().add("fields", kObjectFields).on(object_url(name));
  const HttpResponse response = send(call, request);
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) GoogleApi::fail(request, response);
  return object_of(json_of(request, response));
}

std::string GcsClient::next_page(Call& call, const Query& query, const TakeGcsObject& take) {
  HttpRequest request;
  request.url = query.on(bucket_url("/o"));
  const HttpResponse response = send(call, request);
  if (response.status == 404)
    throw Error(Code::kNotFound, "bucket " + place_.bucket + ": is not there");
  if (response.status != 200) GoogleApi::fail(request, response);
  const Json::Value page = json_of(request, response);
  if (page["items"].isArray()) {
    for (const auto& item : page["items"]) {
      if (!take(object_of(item))) return "";
    }
  }
  return text_at(page, "nextPageToken");
}

void GcsClient::list(Call& call, const std::string& prefix, bool flat, const TakeGcsObject& take) {
  std::string token;
  do {
    Query query;
    query.add("fields", std::string("nextPageToken,items(") + kObjectFields + ")");
    if (!prefix.empty()) query.add("prefix", prefix);
    if (flat) query.add("delimiter", "/");
    if (!token.empty()) query.add("pageToken", token);
    const std::string next = next_page(call, query, take);
    if (!next.empty() && next == token)
      throw Error(Code::kRemote, "bucket " + place_.bucket + ": its list never ends");
    token = next;
  } while (!token.empty());
}

std::vector<std::string> GcsClient::missing_permissions(Call& call,
                                                        const std::vector<std::string>& needed) {
  Query query;
  for (const auto& permission : needed) query.add("permissions", permission);
  HttpRequest request;
  request.url = query.on(bucket_url("/iam/testPermissions"));
  const HttpResponse response = send(call, request);
  if (response.status != 200) return {};  // not every server of this API knows
  const Json::Value held = json_of(request, response)["permissions"];
  std::vector<std::string> missing;
  for (const auto& permission : needed) {
    bool found = false;
    for (const auto& one : held) found = found || one == permission;
    if (!found) missing.push_back(permission);
  }
  return missing;
}

std::string GcsClient::read(Call& call, const GcsObject& object, int64_t offset, int64_t size) {
  HttpRequest request;
  request.url =
      Query().add("alt", "media").add("generation", object.generation).on(object_url(object.name));
  // Without this header objects stored as gzip come unpacked: other bytes, no ranges.
  request.headers = {"Accept-Encoding: gzip", "Range: bytes=" + std::to_string(offset) + "-" +
                                                  std::to_string(offset + size - 1)};
  request.accept_encoding = false;
  HttpResponse response = send(call, request);
  check_range(request, response, object, offset, size);
  return std::move(response.body);
}

void GcsClient::check_range(const HttpRequest& request, const HttpResponse& response,
                            const GcsObject& object, int64_t offset, int64_t size) const {
  const std::string generation = response.header("x-goog-generation");
  const bool other = !generation.empty() && generation != std::to_string(object.generation);
  if (response.status == 404 || response.status == 412 || response.status == 416 || other) {
    throw Error(Code::kUnavailable, uri(object.name) +
                                        ": was replaced or deleted while it was read; nothing of "
                                        "it is kept. Run again to read what is there now");
  }
  if (response.status != 200 && response.status != 206) GoogleApi::fail(request, response);
  const std::string range = response.header("content-range");
  const std::string wanted = "bytes " + std::to_string(offset) + "-";
  const bool fits =
      response.status == 206 ? range.starts_with(wanted) : offset == 0 && size == object.size;
  if (!fits || response.body.size() != static_cast<size_t>(size)) {
    throw Error(Code::kRemote, describe(request) + ": answered " + std::to_string(response.status) +
                                   " with other bytes than " + wanted +
                                   std::to_string(offset + size - 1));
  }
  const std::string crc = crc32c_of(response);
  if (!crc.empty() && !object.crc32c.empty() && crc != object.crc32c) {
    throw Error(Code::kUnavailable,
                uri(object.name) + ": its checksum is another than when it was listed");
  }
}

GoogleUpload GcsClient::begin_upload(Call& call, const std::string& name,
                                     const Json::Value& metadata) {
  HttpRequest request;
  request.method = "POST";
  request.url =
      Query()
          .add("uploadType", "resumable")
          .add("name", name)
          .add("ifGenerationMatch", "0")
          .on(place_.endpoint + "/upload/storage/v1/b/" + percent_encode(place_.bucket) + "/o");
  request.headers = {"Content-Type: application/json; charset=UTF-8"};
  request.body = write_json(metadata);
  request.safe_to_repeat = true;  // a session alone does nothing
  try {
    return {call, api_, request};
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kNotFound, "bucket " + place_.bucket + ": is not there");
  }
}

GcsObject GcsClient::parse(const HttpResponse& response) const {
  HttpRequest request;
  request.method = "PUT";
  request.url = place_.endpoint + "/upload/storage/v1";
  return object_of(json_of(request, response));
}

GcsClient::Rewritten GcsClient::rewrite(Call& call, const std::string& from,
                                        int64_t from_generation, const std::string& to,
                                        int64_t to_generation, const Json::Value& metadata) {
  std::string token;
  for (;;) {
    Query query;
    query.add("ifSourceGenerationMatch", from_generation).add("ifGenerationMatch", to_generation);
    if (!token.empty()) query.add("rewriteToken", token);
    HttpRequest request;
    request.method = "POST";
    request.url = query.on(object_url(from) + "/rewriteTo/b/" + percent_encode(place_.bucket) +
                           "/o/" + percent_encode(to));
    request.headers = {"Content-Type: application/json; charset=UTF-8"};
    request.body = write_json(metadata);
    request.safe_to_repeat = true;  // the target's generation stands for "not yet"
    const HttpResponse response = send(call, request);
    if (response.status == 412) return Rewritten::kTargetChanged;
    if (response.status == 404) return Rewritten::kSourceGone;
    if (response.status != 200) GoogleApi::fail(request, response);
    const Json::Value answer = json_of(request, response);
    if (answer["done"].isBool() && answer["done"].asBool()) return Rewritten::kDone;
    token = text_at(answer, "rewriteToken");
    if (token.empty())
      throw Error(Code::kRemote, describe(request) + ": is not done and gave no rewriteToken");
  }
}

void GcsClient::remove(Call& call, const std::string& name, int64_t generation) {
  HttpRequest request;
  request.method = "DELETE";
  request.url = Query().add("ifGenerationMatch", generation).on(object_url(name));
  const HttpResponse response = send(call, request);
  // 412: another object has the name now, so that this one is gone.
  if (response.status == 404 || response.status == 412) return;
  if (response.status >= 300) GoogleApi::fail(request, response);
}

}  // namespace patchbay
