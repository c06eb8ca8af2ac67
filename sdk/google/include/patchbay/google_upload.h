// Resumable uploads, as Cloud Storage and BigQuery take them:
// https://cloud.google.com/storage/docs/performing-resumable-uploads
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patchbay/google.h"

namespace patchbay {

// One session. After a fault the server is asked what it has, and gets the rest: nothing is lost or
// sent twice. One thread at a time.
class GoogleUpload {
 public:
  static constexpr size_t kUnit = 256 << 10;  // every piece but the last is a multiple of it

  // Sends the request that begins an upload; its `without_values` counts for all pieces. Throws
  // Error kRemote where the answer names no session, or one on a server that credentials must not
  // go to.
  GoogleUpload(Call& call, GoogleApi& api, const HttpRequest& begin);

  // Returns when the server has all of `data`. Throws Error kUnavailable where the session is gone:
  // the upload has to begin anew.
  void append(Call& call, std::string_view data);
  // The last piece, of any size; `headers` come with it. Returns the answer to the whole.
  HttpResponse finish(Call& call, std::string_view data,
                      const std::vector<std::string>& headers = {});
  int64_t stored() const { return stored_; }

 private:
  struct Piece {
    std::string_view data;
    int64_t begin;  // of `data` in the whole
    bool last;
    std::vector<std::string> headers;
    int64_t end() const { return begin + static_cast<int64_t>(data.size()); }
    std::string total() const { return last ? std::to_string(end()) : "*"; }
  };
  HttpResponse send(Call& call, const Piece& piece);
  HttpRequest rest_of(const Piece& piece) const;
  HttpRequest question(const Piece& piece) const;
  bool is_complete(const HttpRequest& request, const HttpResponse& response, const Piece& piece);

  GoogleApi& api_;
  std::string session_;
  const std::function<std::string(const std::string&)> without_values_;
  int64_t stored_ = 0;
};

}  // namespace patchbay
