#include "engine/outlet.h"

#include <algorithm>

namespace patchbay::host {

bool StreamFilter::passes(const std::string& stream) const {
  return selected.empty() || std::find(selected.begin(), selected.end(), stream) != selected.end();
}

std::string StreamFilter::name_of(const std::string& stream) const {
  const auto found = renamed.find(stream);
  return found == renamed.end() ? stream : found->second;
}

namespace {

SchemaPtr with_name(const SchemaPtr& schema, std::string name) {
  if (schema->name == name) return schema;
  auto renamed = std::make_shared<Schema>(*schema);
  renamed->name = std::move(name);
  return renamed;
}

// What a batch takes beside its values: structs, lists of buffers, allocations. Without it an edge
// full of tiny batches would hold many times the memory that it may.
int64_t frame_bytes(const ArrowArray& array) {
  constexpr int64_t kPerArray = 384;
  int64_t bytes = kPerArray;
  for (int64_t i = 0; i < array.n_children; ++i) bytes += frame_bytes(*array.children[i]);
  return bytes;
}

}  // namespace

void Outlet::add(Inbox& inbox, size_t input, StreamFilter filter) {
  receivers_.push_back({&inbox, input, std::move(filter), {}, {}});
}

void Outlet::keep_schema(Receiver& receiver, uint32_t index, const SchemaPtr& schema) {
  receiver.indexes.try_emplace(index, static_cast<uint32_t>(receiver.indexes.size()));
  receiver.schemas[index] = with_name(schema, receiver.filter.name_of(schema->name));
}

bool Outlet::stream(uint32_t index, const SchemaPtr& schema, const std::string& origin) {
  if (!filter_.passes(schema->name)) return true;
  const SchemaPtr own = with_name(schema, filter_.name_of(schema->name));
  bool open = true;
  for (auto& receiver : receivers_) {
    if (!receiver.filter.passes(own->name)) continue;
    keep_schema(receiver, index, own);
    EdgeEvent event;
    event.kind = EdgeEvent::Kind::kStream;
    event.stream = receiver.indexes.at(index);
    event.schema = receiver.schemas.at(index);
    event.origin = origin;
    open &= receiver.inbox->push(receiver.input, std::move(event));
  }
  return open;
}

bool Outlet::batch(uint32_t index, Batch batch, int64_t bytes) {
  std::vector<Receiver*> takers;
  for (auto& receiver : receivers_) {
    if (receiver.indexes.contains(index)) takers.push_back(&receiver);
  }
  const auto give = [&](Receiver& receiver, Batch share) {
    EdgeEvent event;
    event.kind = EdgeEvent::Kind::kBatch;
    event.stream = receiver.indexes.at(index);
    event.batch = Batch(receiver.schemas.at(index), share.take());
    event.bytes = bytes + frame_bytes(event.batch.array());
    return receiver.inbox->push(receiver.input, std::move(event));
  };
  if (takers.empty()) return true;
  bool open = true;
  for (size_t i = 0; i + 1 < takers.size(); ++i)
    open &= give(*takers[i], batch.slice(0, batch.rows()));
  return give(*takers.back(), std::move(batch)) && open;
}

bool Outlet::barrier(uint64_t epoch) {
  bool open = true;
  for (auto& receiver : receivers_) {
    EdgeEvent event;
    event.kind = EdgeEvent::Kind::kBarrier;
    event.epoch = epoch;
    open &= receiver.inbox->push(receiver.input, std::move(event));
  }
  return open;
}

bool Outlet::end() {
  bool open = true;
  for (auto& receiver : receivers_) open &= receiver.inbox->push(receiver.input, EdgeEvent{});
  return open;
}

}  // namespace patchbay::host
