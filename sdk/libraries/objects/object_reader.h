// One version of one object, chunk by chunk.
#pragma once

#include "patchbay/object.h"
#include "patchbay/objects/object_action.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

class ObjectReader final : public Reader {
 public:
  // What outlives the reader.
  struct Parts {
    ObjectStore& store;
    SchemaPtr schema;
    const ObjectAction* on_commit;  // may be null, as the next
    const ObjectAction* on_refusal;
  };
  ObjectReader(Parts parts, FoundObject object, std::unique_ptr<Download> download)
      : parts_(std::move(parts)), object_(std::move(object)), download_(std::move(download)) {}

  Event next(Call& call) override;
  Checkpoint checkpoint(Call& call, Json::Value& state) override;
  void committed(Call& call, uint64_t epoch) override;
  void refused(Call& call, Code why) override;

 private:
  std::string_view read(Call& call);

  const Parts parts_;
  const FoundObject object_;
  std::unique_ptr<Download> download_;  // null once all is read
  int64_t offset_ = 0;
  bool announced_ = false;
  bool settled_ = false;  // on_commit or on_refusal was done
};

}  // namespace patchbay
