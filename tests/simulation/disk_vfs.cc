// SQLite's table of functions for files, on Disk. https://www.sqlite.org/vfs.html
#include <cstring>
#include <new>

#include "simulation/disk_handle.h"
#include "simulation/scheduler.h"

namespace patchbay::simulation {
namespace {

DiskHandle& handle_of(sqlite3_file* file) { return *reinterpret_cast<DiskHandle*>(file); }

// Something durable may happen next, or just did: others may go on here, or the process end.
void point(const char* what) {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->note(static_cast<unsigned char>(what[0]));
    scheduler->point();
  }
}

int close_file(sqlite3_file* file) {
  DiskHandle& handle = handle_of(file);
  if (handle.temporary) {
    delete handle.file;
    return SQLITE_OK;
  }
  std::erase(handle.file->handles, &handle);
  drop_shared_if_unused(*handle.file);
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int n, sqlite3_int64 offset) {
  const std::string& content = handle_of(file).file->content;
  if (Disk::current()->fails()) return SQLITE_IOERR_READ;
  const auto size = static_cast<sqlite3_int64>(content.size());
  const auto there =
      static_cast<size_t>(std::max<sqlite3_int64>(0, std::min<sqlite3_int64>(n, size - offset)));
  if (there > 0) std::memcpy(out, content.data() + offset, there);
  if (there == static_cast<size_t>(n)) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<size_t>(n) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* bytes, int n, sqlite3_int64 offset) {
  DiskHandle& handle = handle_of(file);
  point("write");
  Disk& disk = *Disk::current();
  if (disk.fails()) return SQLITE_IOERR_WRITE;
  const bool grows = offset + n > static_cast<sqlite3_int64>(handle.file->content.size());
  if (disk.trouble.full && grows) return SQLITE_FULL;
  disk.write(*handle.file, offset, {static_cast<const char*>(bytes), static_cast<size_t>(n)});
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  point("truncate");
  if (Disk::current()->fails()) return SQLITE_IOERR_TRUNCATE;
  Disk::current()->truncate(*handle_of(file).file, size);
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  point("sync");
  if (Disk::current()->fails_to_sync()) return SQLITE_IOERR_FSYNC;
  Disk::current()->sync(*handle_of(file).file);
  point("synced");
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle_of(file).file->content.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) {
  point("lock");
  return take_lock(handle_of(file), level);
}

int unlock_file(sqlite3_file* file, int level) {
  DiskHandle& handle = handle_of(file);
  handle.lock = std::min(handle.lock, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* out) {
  *out = 0;
  for (const DiskHandle* handle : handle_of(file).file->handles)
    *out |= handle->lock >= SQLITE_LOCK_RESERVED;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  DiskHandle& handle = handle_of(file);
  handle.shares = true;
  auto& shared = handle.file->shared;
  *out = nullptr;
  while (shared.size() <= static_cast<size_t>(region)) {
    if (!extend) return SQLITE_OK;
    if (Disk::current()->trouble.full || Disk::current()->fails()) return SQLITE_IOERR_SHMSIZE;
    shared.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
  }
  *out = shared[static_cast<size_t>(region)].get();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
  if (flags & SQLITE_SHM_EXCLUSIVE) point("shared");
  return take_shared_lock(handle_of(file), offset, n, flags);
}

void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* file, int) {
  DiskHandle& handle = handle_of(file);
  handle.shares = false;
  handle.shared_locks = handle.exclusive_locks = 0;
  drop_shared_if_unused(*handle.file);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods{2,
                                  close_file,
                                  read_file,
                                  write_file,
                                  truncate_file,
                                  sync_file,
                                  size_of_file,
                                  lock_file,
                                  unlock_file,
                                  check_reserved,
                                  file_control,
                                  sector_size,
                                  characteristics,
                                  map_shared,
                                  lock_shared,
                                  barrier,
                                  unmap_shared,
                                  nullptr,
                                  nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  auto* const handle = new (out) DiskHandle{};
  handle->owner = Scheduler::current() ? Scheduler::current()->process() : nullptr;
  if (!name) {
    handle->temporary = true;
    handle->file = new DiskFile;
  } else {
    Disk& disk = *Disk::current();
    if (disk.fails()) return SQLITE_CANTOPEN;
    handle->file = disk.find(name);
    if (!handle->file && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    if (!handle->file && disk.trouble.full) return SQLITE_CANTOPEN;
    if (!handle->file) handle->file = &disk.make(name);
    handle->file->handles.push_back(handle);
  }
  handle->base.pMethods = &kMethods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs*, const char* name, int) {
  point("remove");
  if (!Disk::current()->find(name)) return SQLITE_IOERR_DELETE_NOENT;
  Disk::current()->remove(name);
  return SQLITE_OK;
}

int is_there(sqlite3_vfs*, const char* name, int, int* out) {
  const DiskFile* file = Disk::current()->find(name);
  *out = file && !file->content.empty();
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int n, char* out) {
  sqlite3_snprintf(n, out, "%s", name);
  return SQLITE_OK;
}

// Before the first history there is none.
int randomness(sqlite3_vfs*, int n, char* out) {
  for (int i = 0; i < n; ++i)
    out[i] = Disk::current() ? static_cast<char>(Disk::current()->random().next()) : char{0};
  return n;
}

int sleep_for(sqlite3_vfs*, int microseconds) {
  Scheduler::current()->sleep(std::chrono::microseconds(microseconds));
  return microseconds;
}

int time_now(sqlite3_vfs*, sqlite3_int64* out) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  constexpr sqlite3_int64 kUnixEpoch = 210866760000000;  // in milliseconds of Julian days
  *out = kUnixEpoch +
         duration_cast<milliseconds>(Scheduler::current()->wall().time_since_epoch()).count();
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

void install_disk_in_sqlite() {
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_initialize();
  static sqlite3_vfs vfs{
      2,        sizeof(DiskHandle), 512,      nullptr, "disk",  nullptr, open_file,  remove_file,
      is_there, full_name,          nullptr,  nullptr, nullptr, nullptr, randomness, sleep_for,
      nullptr,  last_error,         time_now, nullptr, nullptr, nullptr};
  sqlite3_vfs_register(&vfs, 1);
}

}  // namespace patchbay::simulation
