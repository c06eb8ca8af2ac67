// One stream's objects of one transaction, under temporary names.
#pragma once

#include <optional>

#include "gcs_sink.h"
#include "patchbay/object.h"
#include "patchbay/objects/crc32c.h"

namespace patchbay {

// What all temporary objects of a transaction begin with: a later process finds them by it.
std::string gcs_temporary_prefix(const GcsSinkConfig& config, const std::string& txn);

// What an object has under its temporary name and keeps under its own.
Json::Value gcs_metadata(const std::string& content_type, const std::string& mark);

class GcsWriter final : public Writer {
 public:
  // `config` outlives it.
  GcsWriter(GcsLease client, const GcsSinkConfig& config, std::string stream, std::string txn,
            uint64_t number);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  void begin(Call& call, const std::string& key);
  void take(Call& call, std::string_view data);
  void finish(Call& call);
  void check_stored(Call& call, const GcsObject& stored);

  const GcsLease client_;
  const GcsSinkConfig& config_;
  const std::string stream_, txn_, prefix_;
  Json::Value token_;
  int64_t rows_ = 0;
  uint64_t parts_ = 0;
  // Of the object that is open.
  bool open_ = false, skipped_ = false;
  std::string target_, temporary_, mark_, buffer_;
  std::optional<GoogleUpload> upload_;
  int64_t size_ = 0;
  Crc32c crc_;
};

}  // namespace patchbay
