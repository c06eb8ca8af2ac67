// Row-by-row transforms: the SDK does the streams, barriers and schema changes.
#pragma once

#include <memory>
#include <vector>

#include "patchbay/plugin.h"

namespace patchbay {

// What happens to one stream. Made again when the stream's schema changes.
class Mapper {
 public:
  virtual ~Mapper() = default;
  virtual SchemaPtr schema() const = 0;  // of what map() returns
  virtual Batch map(Call& call, Batch batch) = 0;
};

// Batches may come out shorter than they went in (the host counts the rest as dropped), empty ones
// are left out.
class Map : public Transform {
 public:
  virtual std::unique_ptr<Mapper> open_stream(Call& call, const SchemaPtr& in) = 0;

  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) final;
};

}  // namespace patchbay
