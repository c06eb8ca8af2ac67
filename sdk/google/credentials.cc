#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "jwt.h"
#include "patchbay/google.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using std::chrono::seconds;

constexpr const char* kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr seconds kRenewBefore{225};

// {"access_token": .., "expires_in": ..}, or why not.
Json::Value parse_answer(const HttpRequest& request, const HttpResponse& response) {
  Json::Value json;
  try {
    json = parse_json(response.body);
  } catch (const std::exception&) {
    throw Error(response.status < 400 ? Code::kRemote : code_of_status(response.status),
                describe(request) + ": answered " + std::to_string(response.status) +
                    " with a body that is no JSON");
  }
  if (response.status == 200 && json.isObject() && json["access_token"].isString()) return json;
  std::string why = json.isObject() ? json["error"].asString() : "";
  if (json.isObject() && json["error_description"].isString())
    why += ": " + json["error_description"].asString();
  throw Error(Code::kAuth, "credentials: " + describe(request) + " refused them: " + why);
}

HttpRequest form(const std::string& url,
                 const std::vector<std::pair<std::string, std::string>>& fields) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.safe_to_repeat = true;  // asking for a token twice does no harm
  for (const auto& [name, value] : fields) {
    request.body += (request.body.empty() ? "" : "&") + name + "=" + percent_encode(value);
  }
  return request;
}

std::string need(const Json::Value& json, const char* name) {
  if (!json[name].isString() || json[name].asString().empty()) {
    throw Error(Code::kAuth, std::string("credentials: ") + name + " is missing in the JSON text");
  }
  return json[name].asString();
}

class ServiceAccount final : public GoogleCredentials {
 public:
  explicit ServiceAccount(const Json::Value& json)
      : email_(need(json, "client_email")),
        key_(need(json, "private_key")),
        key_id_(json["private_key_id"].asString()),
        token_uri_(json.get("token_uri", kTokenUrl).asString()),
        project_(json["project_id"].asString()) {}
  std::string project() const override { return project_; }

 private:
  Token fetch(Call& call, HttpClient& client) override {
    const int64_t now = std::time(nullptr);
    Json::Value header, payload;
    header["alg"] = "RS256";
    header["typ"] = "JWT";
    if (!key_id_.empty()) header["kid"] = key_id_;
    payload["iss"] = email_;
    payload["scope"] = kScope;
    payload["aud"] = kTokenUrl;  // the constant, also where token_uri is another
    payload["iat"] = Json::Int64(now);
    payload["exp"] = Json::Int64(now + 3600);
    const HttpRequest request =
        form(token_uri_, {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                          {"assertion", sign_jwt(write_json(header), write_json(payload), key_)}});
    const Json::Value answer = parse_answer(request, client.send(call, request));
    return {answer["access_token"].asString(), seconds(answer.get("expires_in", 3600).asInt64())};
  }

  const std::string email_, key_, key_id_, token_uri_, project_;
};

class AuthorizedUser final : public GoogleCredentials {
 public:
  explicit AuthorizedUser(const Json::Value& json)
      : id_(need(json, "client_id")),
        secret_(need(json, "client_secret")),
        refresh_(need(json, "refresh_token")),
        token_uri_(json.get("token_uri", kTokenUrl).asString()) {}

 private:
  Token fetch(Call& call, HttpClient& client) override {
    const HttpRequest request = form(token_uri_, {{"grant_type", "refresh_token"},
                                                  {"client_id", id_},
                                                  {"client_secret", secret_},
                                                  {"refresh_token", refresh_}});
    const Json::Value answer = parse_answer(request, client.send(call, request));
    return {answer["access_token"].asString(), seconds(answer.get("expires_in", 3600).asInt64())};
  }

  const std::string id_, secret_, refresh_, token_uri_;
};

class MetadataServer final : public GoogleCredentials {
 private:
  // Its own client: the address is link-local and plain http by design.
  Token fetch(Call& call, HttpClient&) override {
    const char* host = std::getenv("GCE_METADATA_HOST");
    HttpOptions options;
    options.allow_http = true;
    options.connect_timeout = std::chrono::milliseconds(3000);
    HttpClient client(options);
    HttpRequest request;
    request.url = std::string("http://") + (host && *host ? host : "metadata.google.internal") +
                  "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" + kScope;
    request.headers = {"Metadata-Flavor: Google"};
    HttpResponse response;
    try {
      response = client.send(call, request);
    } catch (const HttpConnectionError&) {
      no_credentials();
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled) throw;
      no_credentials();
    }
    if (response.header("metadata-flavor") != "Google") no_credentials();
    const Json::Value answer = parse_answer(request, response);
    return {answer["access_token"].asString(), seconds(answer.get("expires_in", 3600).asInt64())};
  }

  [[noreturn]] static void no_credentials() {
    throw Error(Code::kAuth,
                "credentials: none found; set the option credentials, or "
                "GOOGLE_APPLICATION_CREDENTIALS, or "
                "run on a machine of Google's cloud");
  }
};

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(Code::kAuth, "credentials: " + file.string() + " cannot be read");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::filesystem::path gcloud_file() {
  if (const char* dir = std::getenv("CLOUDSDK_CONFIG"); dir && *dir) {
    return std::filesystem::path(dir) / "application_default_credentials.json";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : "/") /
         ".config/gcloud/application_default_credentials.json";
}

}  // namespace

std::shared_ptr<GoogleCredentials> GoogleCredentials::from_json(const std::string& text) {
  Json::Value json;
  try {
    json = parse_json(text);
  } catch (const std::exception&) {
    throw Error(
        Code::kAuth,
        "credentials: is no JSON text; it must be that of a service account or an authorized user");
  }
  const std::string type = json.isObject() ? json["type"].asString() : "";
  if (type == "service_account") return std::make_shared<ServiceAccount>(json);
  if (type == "authorized_user") return std::make_shared<AuthorizedUser>(json);
  throw Error(Code::kAuth, "credentials: type must be service_account or authorized_user" +
                               (type.empty() ? "" : ", not " + type));
}

std::shared_ptr<GoogleCredentials> GoogleCredentials::find_default() {
  if (const char* file = std::getenv("GOOGLE_APPLICATION_CREDENTIALS"); file && *file)
    return from_json(read_text(file));
  if (std::filesystem::exists(gcloud_file())) return from_json(read_text(gcloud_file()));
  return std::make_shared<MetadataServer>();
}

std::string GoogleCredentials::token(Call& call, HttpClient& client, bool fresh) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!fresh && !token_.empty() && now < renew_at_) return token_;
  const Token token = fetch(call, client);
  token_ = token.text;
  renew_at_ = now + std::max(token.lifetime - kRenewBefore, token.lifetime / 2);
  return token_;
}

}  // namespace patchbay
