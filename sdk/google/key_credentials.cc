// Credentials that come as JSON text.
#include <ctime>

#include "credentials.h"
#include "json_text_of.h"
#include "jwt.h"
#include "patchbay/json_value.h"
#include "token_request.h"

namespace patchbay {
namespace {

constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";

std::string need(const Json::Value& json, const char* name) {
  std::string value = text_of(json, name);
  if (value.empty())
    throw Error(Code::kAuth, std::string("credentials: ") + name + " is missing in the JSON text");
  return value;
}

std::string token_uri_of(const Json::Value& json) {
  const std::string uri = json.isMember("token_uri") ? text_of(json, "token_uri") : kTokenUrl;
  if (origin_of(uri).starts_with("https://") || is_loopback(uri)) return uri;
  throw Error(Code::kAuth,
              "credentials: token_uri must begin with https://, or be http:// on this machine");
}

class ServiceAccount final : public GoogleCredentials {
 public:
  ServiceAccount(const Json::Value& json, const GoogleEnvironment& environment, std::string scope)
      : GoogleCredentials(environment, text_of(json, "project_id"),
                          text_of(json, "quota_project_id")),
        email_(need(json, "client_email")),
        key_(need(json, "private_key")),
        key_id_(text_of(json, "private_key_id")),
        token_uri_(token_uri_of(json)),
        scope_(std::move(scope)) {}

 private:
  Token fetch(Call& call, const HttpOptions& options) override {
    const std::string jwt = assertion();
    Query form;
    form.add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer").add("assertion", jwt);
    const auto answer =
        request_token(call, options, token_uri_, form, {jwt}, " (service account " + email_ + ")");
    return {answer.token, answer.lifetime};
  }

  std::string assertion() const {
    const int64_t now = std::time(nullptr);
    Json::Value header, payload;
    header["alg"] = "RS256";
    header["typ"] = "JWT";
    if (!key_id_.empty()) header["kid"] = key_id_;
    payload["iss"] = email_;
    payload["scope"] = scope_;
    payload["aud"] = kTokenUrl;  // the constant, also where token_uri is another
    payload["iat"] = Json::Int64(now);
    payload["exp"] = Json::Int64(now + 3600);
    return sign_jwt(write_json(header), write_json(payload), key_);
  }

  const std::string email_, key_, key_id_, token_uri_, scope_;
};

class AuthorizedUser final : public GoogleCredentials {
 public:
  AuthorizedUser(const Json::Value& json, const GoogleEnvironment& environment)
      : GoogleCredentials(environment, "", text_of(json, "quota_project_id")),
        id_(need(json, "client_id")),
        secret_(need(json, "client_secret")),
        refresh_(need(json, "refresh_token")),
        token_uri_(token_uri_of(json)) {}

 private:
  Token fetch(Call& call, const HttpOptions& options) override {
    Query form;
    form.add("grant_type", "refresh_token")
        .add("client_id", id_)
        .add("client_secret", secret_)
        .add("refresh_token", refresh_);
    const auto answer =
        request_token(call, options, token_uri_, form, {secret_, refresh_},
                      "; `gcloud auth application-default login` makes new credentials");
    return {answer.token, answer.lifetime};
  }

  const std::string id_, secret_, refresh_, token_uri_;
};

}  // namespace

std::shared_ptr<GoogleCredentials> make_service_account(const Json::Value& json,
                                                        const GoogleEnvironment& environment,
                                                        const std::string& scope) {
  return std::make_shared<ServiceAccount>(json, environment, scope);
}

std::shared_ptr<GoogleCredentials> make_authorized_user(const Json::Value& json,
                                                        const GoogleEnvironment& environment) {
  return std::make_shared<AuthorizedUser>(json, environment);
}

}  // namespace patchbay
