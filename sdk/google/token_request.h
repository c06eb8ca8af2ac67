// Asking a server for an access token (RFC 6749).
#pragma once

#include "patchbay/http.h"

namespace patchbay {

struct TokenAnswer {
  std::string token;
  std::chrono::seconds lifetime{0};
};

// POSTs a form to a token endpoint. `secrets` of the form never become part of a message; `hint`
// is added where the server refuses. Throws Error kAuth, with the server's `error` and
// `error_description`, kUnavailable, or kRemote for an answer that is none.
TokenAnswer request_token(Call& call, HttpOptions options, const std::string& url,
                          const Query& form, std::vector<std::string> secrets,
                          const std::string& hint);
TokenAnswer parse_token(const HttpRequest& request, const HttpResponse& response,
                        const std::string& hint);

}  // namespace patchbay
