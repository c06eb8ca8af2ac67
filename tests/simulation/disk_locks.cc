// Locks of files and of their shared memory, as SQLite's own code for Unix has them.
#include <algorithm>

#include "simulation/disk_handle.h"

namespace patchbay::simulation {
namespace {

bool any_other(const DiskHandle& self, bool (*test)(const DiskHandle&)) {
  return std::any_of(self.file->handles.begin(), self.file->handles.end(),
                     [&](const DiskHandle* other) { return other != &self && test(*other); });
}

}  // namespace

void drop_shared_if_unused(DiskFile& file) {
  const bool used = std::any_of(file.handles.begin(), file.handles.end(),
                                [](const DiskHandle* handle) { return handle->shares; });
  if (!used) file.shared.clear();
}

int take_lock(DiskHandle& handle, int level) {
  if (handle.lock >= level) return SQLITE_OK;
  const bool pending =
      any_other(handle, [](const DiskHandle& other) { return other.lock >= SQLITE_LOCK_PENDING; });
  if (level == SQLITE_LOCK_SHARED) {
    if (pending) return SQLITE_BUSY;
  } else if (any_other(handle, [](const DiskHandle& other) {
               return other.lock >= SQLITE_LOCK_RESERVED;
             })) {
    return SQLITE_BUSY;
  } else if (level == SQLITE_LOCK_EXCLUSIVE) {
    if (any_other(handle,
                  [](const DiskHandle& other) { return other.lock >= SQLITE_LOCK_SHARED; })) {
      handle.lock = std::max(handle.lock, SQLITE_LOCK_PENDING);  // readers may end, none begins
      return SQLITE_BUSY;
    }
  }
  handle.lock = level;
  return SQLITE_OK;
}

int take_shared_lock(DiskHandle& handle, int offset, int n, int flags) {
  const auto mask = static_cast<uint16_t>(((1u << n) - 1) << offset);
  if (flags & SQLITE_SHM_UNLOCK) {
    handle.shared_locks &= static_cast<uint16_t>(~mask);
    handle.exclusive_locks &= static_cast<uint16_t>(~mask);
    return SQLITE_OK;
  }
  for (const DiskHandle* other : handle.file->handles) {
    if (other == &handle) continue;
    if (other->exclusive_locks & mask) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_EXCLUSIVE) && (other->shared_locks & mask)) return SQLITE_BUSY;
  }
  if (flags & SQLITE_SHM_EXCLUSIVE) {
    handle.exclusive_locks |= mask;
  } else {
    handle.shared_locks |= mask;
  }
  return SQLITE_OK;
}

}  // namespace patchbay::simulation
