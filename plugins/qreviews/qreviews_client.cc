#include "qreviews_client.h"

namespace patchbay {
namespace {

constexpr int kMostRedirects = 3;

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where a redirect leads: only to the origin it came from, because the key goes along.
std::string redirected(const HttpRequest& request, const HttpResponse& response) {
  std::string location = response.header("location");
  const std::string origin = origin_of(request.url);
  if (location.starts_with("/") && !location.starts_with("//")) return origin + location;
  if (!location.empty() && origin_of(location) == origin) return location;
  throw Error(Code::kRemote,
              describe(request) + ": is redirected to another server" +
                  (location.empty() ? "" : ", " + origin_of(location)) +
                  "; the API key does not go there. Set base_url if the service has moved");
}

}  // namespace

QreviewsClient::QreviewsClient(QreviewsAccess access, HttpOptions options)
    : access_(std::move(access)), client_(std::move(options)) {}

std::string QreviewsClient::page_url(int64_t after, int64_t limit) const {
  std::string base = access_.base_url;
  while (base.ends_with('/')) base.pop_back();
  return base + "/api/client/v2/response?sequence__gt=" + std::to_string(after) +
         "&order_by=sequence&limit=" + std::to_string(limit) + "&omit_count=true";
}

HttpResponse QreviewsClient::get(Call& call, std::string url) {
  HttpRequest request;
  request.headers = {"Authorization: ApiKey " + call.secret(access_.account_sid) + ":" +
                         call.secret(access_.api_key),
                     "Accept: application/json"};
  for (int redirects = 0;; ++redirects) {
    request.url = url;
    HttpResponse response = client_.send(call, request);
    if (!is_redirect(response.status)) {
      // Bodies of errors may repeat a patient's data: only the status is told.
      if (response.status != 200) throw_status(request, response, "");
      return response;
    }
    if (redirects == kMostRedirects)
      throw Error(Code::kRemote, describe(request) + ": too many redirects");
    url = redirected(request, response);
  }
}

HttpResponse QreviewsClient::page(Call& call, int64_t after, int64_t limit) {
  return get(call, page_url(after, limit));
}

}  // namespace patchbay
