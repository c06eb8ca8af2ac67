// One attempt at a request.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <exception>

#include "patchbay/http.h"

namespace patchbay {

// What an attempt takes from the client, beyond its options.
struct TransferTarget {
  std::string url;         // the request's, or where it was redirected to
  std::string ca_dir;      // empty = the default
  std::string request_id;  // to send; empty = none
  bool safe_to_repeat;
  const std::vector<std::string>& more_headers;
};

class Transfer {
 public:
  Transfer(CURL* easy, const HttpOptions& options, const HttpRequest& request,
           const TransferTarget& target);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Any status. Throws HttpConnectionError, or Error kRemote and kCancelled.
  HttpResponse run(CURLM* multi, Call& call);

 private:
  using Clock = std::chrono::steady_clock;

  void set_up_connection();
  void set_up_trust();
  void set_up_request();
  void set_up_body();
  void add_header(const std::string& header);

  static size_t on_body(char* data, size_t, size_t size, void* self);
  static size_t on_header(char* data, size_t, size_t size, void* self);
  static size_t on_read(char* into, size_t, size_t size, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent);
  void take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  void reserve_body();
  void begin_sink();

  CURLcode wait(CURLM* multi, Call& call);
  void check_idle() const;
  bool nothing_sent() const;
  [[noreturn]] void fail(CURLcode result) const;
  [[noreturn]] void refuse(const std::string& why) const;  // kRemote

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }

  CURL* const easy_;
  const HttpOptions& options_;
  const HttpRequest& request_;
  const TransferTarget& target_;
  curl_slist* headers_ = nullptr;
  char error_text_[CURL_ERROR_SIZE] = {};

  HttpResponse response_;
  bool head_complete_ = false;  // the empty line after the headers came
  bool sink_begun_ = false;
  size_t head_bytes_ = 0;
  size_t body_sent_ = 0;  // handed to libcurl, of request_.body
  curl_off_t sent_ = 0;
  std::string refusal_;         // why libcurl was told to stop
  std::exception_ptr failure_;  // of a source or sink, on its way around libcurl
  Clock::time_point last_byte_ = Clock::now();
};

}  // namespace patchbay
