// A file that a simulated process has open, with its locks.
// https://www.sqlite.org/c3ref/io_methods.html
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>

#include "simulation/disk.h"

namespace patchbay::simulation {

struct DiskHandle {
  sqlite3_file base;  // first: SQLite's own view of this struct
  DiskFile* file;
  const Process* owner;
  int lock;                                // SQLITE_LOCK_*
  bool shares;                             // takes part in the shared memory
  bool temporary;                          // has a nameless file of its own
  uint16_t shared_locks, exclusive_locks;  // of the shared memory, by bit
};

// Shared memory lives as long as somebody uses it.
void drop_shared_if_unused(DiskFile& file);

// Both return SQLITE_OK or SQLITE_BUSY.
int take_lock(DiskHandle& handle, int level);
int take_shared_lock(DiskHandle& handle, int offset, int n, int flags);

}  // namespace patchbay::simulation
