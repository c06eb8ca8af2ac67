// Where a node's events go: the inboxes of the nodes that read it, each with its own choice of
// streams.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/inbox.h"

namespace patchbay::host {

// What a node passes on of its streams, and under which names. Empty `selected` = all of them.
struct StreamFilter {
  std::vector<std::string> selected;
  std::map<std::string, std::string> renamed;

  bool passes(const std::string& stream) const;
  std::string name_of(const std::string& stream) const;
};

// One producing thread. Stream indexes are renumbered per receiver, without gaps.
class Outlet {
 public:
  explicit Outlet(StreamFilter filter) : filter_(std::move(filter)) {}
  void add(Inbox& inbox, size_t input, StreamFilter filter);

  // Each returns false once a receiver has closed. A batch is shared, not copied, where several
  // receive it.
  bool stream(uint32_t index, const SchemaPtr& schema, const std::string& origin);
  bool batch(uint32_t index, Batch batch, int64_t bytes);
  bool barrier(uint64_t epoch);
  bool end();

 private:
  struct Receiver {
    Inbox* inbox;
    size_t input;
    StreamFilter filter;
    std::map<uint32_t, uint32_t> indexes;  // of the producer's streams to this receiver's
    std::map<uint32_t, SchemaPtr> schemas;
  };
  static void keep_schema(Receiver& receiver, uint32_t index, const SchemaPtr& schema);

  StreamFilter filter_;
  std::vector<Receiver> receivers_;
};

}  // namespace patchbay::host
