#include "simulation/disk.h"

#include <algorithm>
#include <utility>

#include "simulation/disk_handle.h"

namespace patchbay::simulation {
namespace {

Disk* the_disk = nullptr;

void apply_write(std::string& content, const DiskWrite& write) {
  const auto offset = static_cast<size_t>(write.offset);
  if (write.truncates) {
    content.resize(offset);
    return;
  }
  if (content.size() < offset + write.bytes.size()) content.resize(offset + write.bytes.size());
  content.replace(offset, write.bytes.size(), write.bytes);
}

// A part of a write, from its front or its back: disks promise no order within one.
DiskWrite torn(const DiskWrite& write, Random& random) {
  if (write.truncates || write.bytes.size() < 2) return write;
  const size_t cut = 1 + random.below(write.bytes.size() - 1);
  if (random.chance(0.5)) return {write.offset, write.bytes.substr(0, cut)};
  return {write.offset + static_cast<int64_t>(cut), write.bytes.substr(cut)};
}

}  // namespace

Disk::Disk(Random& random) : random_(random) { the_disk = this; }

Disk* Disk::current() { return the_disk; }

Disk::~Disk() {
  if (the_disk == this) the_disk = nullptr;
}

DiskFile* Disk::find(const std::string& name) {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : found->second.get();
}

DiskFile& Disk::make(const std::string& name) {
  auto& file = files_[name];
  if (!file) {
    file = std::make_shared<DiskFile>();
    file->name = name;
  }
  return *file;
}

void Disk::remove(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return;
  removed_.push_back(found->second);
  files_.erase(found);
}

void Disk::write(DiskFile& file, int64_t offset, std::string_view bytes) {
  file.pending.push_back({offset, std::string(bytes)});
  apply_write(file.content, file.pending.back());
}

void Disk::truncate(DiskFile& file, int64_t size) {
  file.pending.push_back({size, "", true});
  apply_write(file.content, file.pending.back());
}

void Disk::sync(DiskFile& file) {
  for (const auto& write : file.pending) apply_write(file.durable, write);
  file.pending.clear();
}

void Disk::lose_power() {
  for (auto& [name, file] : files_) {
    for (const auto& write : std::exchange(file->pending, {})) {
      const uint64_t fate = random_.below(3);
      if (fate == 0) continue;
      apply_write(file->durable, fate == 1 ? write : torn(write, random_));
    }
    file->content = file->durable;
    file->shared.clear();
  }
  removed_.clear();
}

void Disk::leave(const Process& process) {
  const auto clear = [&](DiskFile& file) {
    std::erase_if(file.handles, [&](DiskHandle* handle) { return handle->owner == &process; });
    drop_shared_if_unused(file);
  };
  for (auto& [name, file] : files_) clear(*file);
  for (auto& file : removed_) clear(*file);
  std::erase_if(removed_, [](const auto& file) { return file->handles.empty(); });
}

Disk::Copy Disk::copy() const {
  Copy copy;
  for (const auto& [name, file] : files_) copy[name] = file->content;
  return copy;
}

void Disk::restore(const Copy& copy) {
  files_.clear();
  for (const auto& [name, content] : copy) {
    DiskFile& file = make(name);
    file.content = file.durable = content;
  }
}

Disk::Instead::Instead(Disk& disk, const Copy& content)
    : disk_(disk), files_(std::move(disk.files_)), trouble_(disk.trouble) {
  disk_.trouble = {};
  disk_.restore(content);
}

Disk::Instead::~Instead() {
  disk_.files_ = std::move(files_);
  disk_.trouble = trouble_;
}

bool Disk::fails_to_sync() {
  return fails() || (trouble.unsynced > 0 && random_.chance(trouble.unsynced));
}

bool Disk::fails() { return trouble.errors > 0 && random_.chance(trouble.errors); }

}  // namespace patchbay::simulation
