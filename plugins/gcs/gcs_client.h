// The JSON API of Cloud Storage, as far as the plugin needs it:
// https://cloud.google.com/storage/docs/json_api/v1
#pragma once

#include <json/value.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/google_upload.h"

namespace patchbay {

struct GcsPlace {
  std::string endpoint, bucket;
};

struct GcsObject {
  std::string name;
  int64_t generation = 0;  // of the content: each write makes a new one
  int64_t size = 0;
  int64_t modified = 0;  // when this generation was written, microseconds since the epoch
  std::string crc32c;    // of the whole, base64
  std::string mark;      // the metadata kGcsMark
};

// Tells objects of patchbay's own from those of others that have taken their name.
inline constexpr const char* kGcsMark = "patchbay-transaction";

using TakeGcsObject = std::function<bool(const GcsObject&)>;

// One thread at a time. Every method throws Error kNotFound where the bucket is not there, kAuth
// where access is denied.
class GcsClient {
 public:
  GcsClient(GcsPlace place, std::shared_ptr<GoogleCredentials> credentials, HttpOptions options);

  const std::string& bucket() const { return place_.bucket; }
  std::string uri(const std::string& name) const { return "gs://" + place_.bucket + "/" + name; }

  std::optional<GcsObject> find(Call& call, const std::string& name);
  // The objects whose names begin with `prefix`; `flat`: without those that have a slash after it.
  // Ends once `take` returns false.
  void list(Call& call, const std::string& prefix, bool flat, const TakeGcsObject& take);
  std::vector<std::string> missing_permissions(Call& call, const std::vector<std::string>& needed);

  // Stored bytes [offset, offset + size) of this generation, never unpacked on the way. Error
  // kUnavailable where the object has been replaced or deleted.
  std::string read(Call& call, const GcsObject& object, int64_t offset, int64_t size);

  // For an object that must not be there yet.
  GoogleUpload begin_upload(Call& call, const std::string& name, const Json::Value& metadata);
  GcsObject parse(const HttpResponse& response) const;  // the answer to a finished upload

  enum class Rewritten { kDone, kTargetChanged, kSourceGone };
  // Copies within the bucket, without moving bytes, over the target's given generation; 0 = it is
  // not there.
  Rewritten rewrite(Call& call, const std::string& from, int64_t from_generation,
                    const std::string& to, int64_t to_generation, const Json::Value& metadata);
  void remove(Call& call, const std::string& name, int64_t generation);  // gone already = fine

 private:
  std::string object_url(const std::string& name) const;
  std::string bucket_url(const std::string& rest) const;
  HttpResponse send(Call& call, const HttpRequest& request);
  std::string next_page(Call& call, const Query& query, const TakeGcsObject& take);
  void check_range(const HttpRequest& request, const HttpResponse& response,
                   const GcsObject& object, int64_t offset, int64_t size) const;

  const GcsPlace place_;
  GoogleApi api_;
};

}  // namespace patchbay
