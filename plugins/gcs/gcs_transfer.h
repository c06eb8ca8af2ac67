// Objects that are read and written, piece by piece.
#pragma once

#include <optional>
#include <string>

#include "gcs_access.h"
#include "patchbay/objects/crc32c.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

// One generation of one object, checked against its crc32c.
class GcsDownload final : public Download {
 public:
  // `piece` is how many bytes a request asks for.
  GcsDownload(GcsLease client, GcsObject object, int64_t piece)
      : client_(std::move(client)), object_(std::move(object)), most_(piece) {}
  std::string_view read(Call& call) override;
  void finish(Call& call) override;

 private:
  const GcsLease client_;
  const GcsObject object_;
  const int64_t most_;
  std::string piece_;
  size_t at_ = 0;        // in piece_
  int64_t fetched_ = 0;  // of the object
  Crc32c crc_;
};

// What an object has under its temporary name and keeps under its own.
Json::Value gcs_metadata(const Json::Value& detail);

// One object under its temporary name.
class GcsUpload final : public Upload {
 public:
  // `detail` has target, temporary, mark and content_type; `replaces`: whether the target may be
  // written over.
  GcsUpload(Call& call, GcsLease client, Json::Value detail, bool replaces, int64_t piece);
  void append(Call& call, std::string_view bytes) override;
  Json::Value finish(Call& call) override;

 private:
  void check_stored(Call& call, const GcsObject& stored);

  const GcsLease client_;
  Json::Value detail_;
  const bool replaces_;
  const size_t piece_;
  std::optional<GoogleUpload> upload_;
  std::string buffer_;
  int64_t size_ = 0;
  Crc32c crc_;
};

}  // namespace patchbay
