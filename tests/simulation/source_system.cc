#include "simulation/source_system.h"

#include <algorithm>
#include <cstdlib>

#include "simulation/world.h"

namespace patchbay::simulation {
namespace {

// Streams and parts that are read side by side have keys of their own: which of two rows with one
// key is the later one is else a matter of the plan. Objects share keys, since they have an order.
constexpr int64_t kKeysPerPart = 1000;

}  // namespace

void SourceSystem::begin(Shape shape) {
  shape_ = std::move(shape);
  for (const auto& stream : shape_.streams) {
    for (int i = 0; i < shape_.parts; ++i) {
      if (shape_.kind == SourceKind::kObjects) {
        add_object(stream);
        continue;
      }
      const bool one = shape_.kind == SourceKind::kTables;
      const std::string id = stream + (one ? "" : "-" + std::to_string(i));
      Part& part = parts_[id];
      part.id = id;
      part.stream = stream;
      part.number = shape_.keys + static_cast<int64_t>(parts_.size()) * kKeysPerPart;
      add_rows(part, static_cast<int>(world_.random().below(6)), world_.scheduler().event());
      if (one) break;
    }
  }
}

std::vector<const Part*> SourceSystem::parts_of(const std::string& stream) const {
  std::vector<const Part*> parts;
  for (const auto& [id, part] : parts_)
    if (part.stream == stream) parts.push_back(&part);
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part* a, const Part* b) { return a->order < b->order; });
  return parts;
}

const Part* SourceSystem::find(const std::string& part) const {
  const auto found = parts_.find(part);
  return found == parts_.end() ? nullptr : &found->second;
}

model::Id SourceSystem::blob_of(const std::string& part) const {
  const auto found = blobs_.find(part);
  return found == blobs_.end() ? 0 : found->second;
}

int64_t SourceSystem::order_of(const std::string& part) const {
  return world_.row(blob_of(part)).facts.order;
}

void SourceSystem::add_rows(Part& part, int rows, model::Time now) {
  int64_t order = ++order_;
  for (int i = 0; i < rows; ++i) {
    RowData& row = world_.add_row();
    if (part.order > 0) {
      order = part.order;
    } else if (!shape_.ties || world_.random().chance(0.5)) {
      order = ++order_;
    }
    row.facts.stream = name_ + "/" + part.stream;
    row.facts.part = part.object.empty() ? part.id : part.object;
    row.facts.key = new_key(part);
    row.facts.order = order;
    row.facts.from = now;
    row.value = static_cast<int64_t>(world_.random().below(100));
    row.grown = grows && world_.random().chance(0.5);
    part.rows.push_back(row.facts.id);
  }
}

int64_t SourceSystem::new_key(Part& part) {
  if (shape_.kind != SourceKind::kObjects) return part.number + ++part.next_key;
  const auto stream = std::find(shape_.streams.begin(), shape_.streams.end(), part.stream);
  const int64_t first = shape_.keys + (stream - shape_.streams.begin()) * kKeysPerPart;
  for (;;) {
    const int64_t key = first + static_cast<int64_t>(world_.random().below(8));
    const bool taken = std::any_of(part.rows.begin(), part.rows.end(),
                                   [&](model::Id id) { return world_.row(id).facts.key == key; });
    if (!taken) return key;
  }
}

void SourceSystem::add_object(const std::string& stream) {
  const std::string name = stream + "-o" + std::to_string(++objects_);
  put_version(stream, name, 1, world_.scheduler().event());
}

void SourceSystem::put_version(const std::string& stream, const std::string& name, int version,
                               model::Time now) {
  const std::string id = name + "@" + std::to_string(version);
  Part& part = parts_[id];
  part.id = id;
  part.stream = stream;
  part.object = name;
  part.version = version;
  part.order = ++order_;
  RowData& blob = world_.add_row();
  blob.facts.stream = name_ + "/" + stream + "#";
  blob.facts.part = name;
  blob.facts.key = std::atoll(name.c_str() + stream.size() + 2);
  blob.facts.order = part.order;
  blob.facts.from = now;
  part.blob = blobs_[id] = blob.facts.id;
  add_rows(part, 1 + static_cast<int>(world_.random().below(4)), now);
}

Part& SourceSystem::any_part() {
  auto part = parts_.begin();
  std::advance(part, world_.random().below(parts_.size()));
  return part->second;
}

void SourceSystem::end_rows(const Part& part, model::Time now) {
  for (const model::Id id : part.rows) world_.end_row(id, now);
  if (part.blob != 0) world_.end_row(part.blob, now);
}

void SourceSystem::new_version(const Part& old) {
  const Part gone = old;
  const model::Time now = world_.scheduler().event();
  end_rows(gone, now);
  parts_.erase(gone.id);
  put_version(gone.stream, gone.object, gone.version + 1, now);
}

// What changes is another row, which comes after all that were there.
void SourceSystem::change_row(Part& part) {
  if (part.rows.empty()) return;
  const size_t at = world_.random().below(part.rows.size());
  const model::Id old = part.rows[at];
  const model::Time now = world_.scheduler().event();
  world_.end_row(old, now);
  part.rows.erase(part.rows.begin() + static_cast<std::ptrdiff_t>(at));
  add_rows(part, 1, now);
  world_.change_key(part.rows.back(), world_.row(old).facts.key);
}

void SourceSystem::remove_row(Part& part) {
  if (part.rows.empty()) return;
  const size_t at = world_.random().below(part.rows.size());
  world_.end_row(part.rows[at], world_.scheduler().event());
  part.rows.erase(part.rows.begin() + static_cast<std::ptrdiff_t>(at));
}

void SourceSystem::edit() {
  if (parts_.empty()) return;
  Random& random = world_.random();
  Part& part = any_part();
  if (shape_.kind == SourceKind::kObjects) {
    const uint64_t what = random.below(10);
    if (what < 5) return add_object(part.stream);
    if (what < 8 || parts_of(part.stream).size() == 1) return new_version(part);
    end_rows(part, world_.scheduler().event());
    parts_.erase(std::string(part.id));
    return;
  }
  const uint64_t what = random.below(10);
  if (what < 6)
    return add_rows(part, 1 + static_cast<int>(random.below(4)), world_.scheduler().event());
  if (what < 8) return change_row(part);
  remove_row(part);
}

}  // namespace patchbay::simulation
