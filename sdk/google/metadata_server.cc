// The metadata server of Google's machines: https://cloud.google.com/compute/docs/metadata/overview
#include <atomic>
#include <fstream>

#include "credentials.h"
#include "token_request.h"

namespace patchbay {
namespace {

constexpr const char* kFlavor = "Metadata-Flavor: Google";
// A GKE node's server refuses connections for a pod's first seconds: an address that answers
// nothing is waited for no longer than this.
constexpr std::chrono::milliseconds kConnectTimeout{3'000};

bool is_genuine(const HttpResponse& response) {  // a captive portal answers too
  return response.header("metadata-flavor") == "Google";
}

class MetadataServer final : public GoogleCredentials {
 public:
  MetadataServer(const GoogleEnvironment& environment, std::string scope)
      : GoogleCredentials(environment, "", ""),
        environment_(environment),
        scope_(std::move(scope)) {}

 private:
  Token fetch(Call& call, const HttpOptions& options) override {
    if (!detect(call, options)) {
      throw Error(Code::kAuth,
                  "credentials: none found; set the option credentials, or "
                  "GOOGLE_APPLICATION_CREDENTIALS, or run on a machine of Google's cloud");
    }
    const HttpRequest request =
        request_for("instance/service-accounts/default/token?scopes=" + percent_encode(scope_));
    const HttpResponse response = ask(call, options, request);
    if (response.status == 404)
      throw Error(Code::kAuth, "credentials: this machine has no service account");
    const auto answer = parse_token(request, response, "");
    return {answer.token, answer.lifetime};
  }

  std::string fetch_project(Call& call, const HttpOptions& options) override {
    if (!detect(call, options)) return "";
    const HttpResponse response = ask(call, options, request_for("project/project-id"));
    return response.status == 200 ? response.body : "";
  }

  HttpResponse ask(Call& call, HttpOptions options, const HttpRequest& request) const {
    options.connect_timeout = kConnectTimeout;
    HttpClient client(local(std::move(options)));
    HttpResponse response = client.send(call, request);
    if (is_genuine(response)) return response;
    throw Error(Code::kAuth, "credentials: " + describe(request) +
                                 " is answered by something else than Google's metadata server");
  }

  HttpRequest request_for(const std::string& path) const {
    HttpRequest request;
    request.url = "http://" + environment_.metadata_host + "/computeMetadata/v1/" + path;
    request.headers = {kFlavor};
    return request;
  }

  // Plain http by design: the address is the machine's own, and no proxy's business.
  static HttpOptions local(HttpOptions options) {
    options.option = "credentials";
    options.allow_http = true;
    options.direct = true;
    options.max_response_bytes = 1 << 20;
    return options;
  }

  bool detect(Call& call, const HttpOptions& options) {
    if (environment_.no_metadata) return false;
    if (environment_.metadata_named || detected_) return true;
    detected_ = is_google_machine() || answers_ping(call, options);
    return detected_;
  }

  bool is_google_machine() const {
    std::ifstream file(environment_.product_file);
    std::string name;
    return std::getline(file, name) && name.starts_with("Google");
  }

  bool answers_ping(Call& call, HttpOptions options) const {
    options.connect_timeout = options.total_timeout = environment_.metadata_timeout;
    HttpClient client(local(std::move(options)));
    HttpRequest request;
    request.url = "http://" + environment_.metadata_ip;
    request.headers = {kFlavor};
    request.retry = false;
    for (int i = 0; i < environment_.metadata_tries; ++i) {
      try {
        return is_genuine(client.send(call, request));
      } catch (const HttpConnectionError&) {
        continue;
      }
    }
    return false;
  }

  const GoogleEnvironment environment_;
  const std::string scope_;
  std::atomic<bool> detected_{false};
};

}  // namespace

std::shared_ptr<GoogleCredentials> make_metadata_server(const GoogleEnvironment& environment,
                                                        const std::string& scope) {
  return std::make_shared<MetadataServer>(environment, scope);
}

}  // namespace patchbay
