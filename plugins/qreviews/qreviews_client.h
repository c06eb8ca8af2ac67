// The Q-Reviews API, version 2: pages of responses after a sequence.
#pragma once

#include <string>

#include "patchbay/http.h"

namespace patchbay {

struct QreviewsAccess {
  std::string base_url;
  Secret account_sid, api_key;
};

class QreviewsClient {
 public:
  QreviewsClient(QreviewsAccess access, HttpOptions options);

  // One page as it was answered with status 200. Throws Error kAuth for refused credentials,
  // kRemote for an answer that can't be used and stays so, kUnavailable.
  HttpResponse page(Call& call, int64_t after, int64_t limit);
  std::string page_url(int64_t after, int64_t limit) const;

 private:
  HttpResponse get(Call& call, std::string url);

  const QreviewsAccess access_;
  HttpClient client_;
};

}  // namespace patchbay
