// The disk of a simulated machine: files in memory that keep what was not synchronised apart, and
// SQLite's way to them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/random.h"

namespace patchbay::simulation {

struct Process;

// What was done to a file since it was last synchronised: bytes at an offset, or a new size.
struct DiskWrite {
  int64_t offset;
  std::string bytes;
  bool truncates = false;
};

struct DiskHandle;

struct DiskFile {
  std::string name;
  std::string content;             // as programs see it
  std::string durable;             // as a power loss would leave it at least
  std::vector<DiskWrite> pending;  // from durable to content
  std::vector<DiskHandle*> handles;
  std::vector<std::unique_ptr<char[]>> shared;  // memory that processes share over this file
};

// Trouble that a disk has for a while.
struct DiskTrouble {
  bool full = false;    // nothing grows
  double errors = 0;    // the chance that a call fails
  double unsynced = 0;  // the chance that fsync fails, as it does at the end of a transaction
};

class Disk {
 public:
  explicit Disk(Random& random);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  static Disk* current();  // the one that was made last

  DiskFile* find(const std::string& name);
  DiskFile& make(const std::string& name);
  // The name is gone; who has the file open keeps it.
  void remove(const std::string& name);
  void write(DiskFile& file, int64_t offset, std::string_view bytes);
  void truncate(DiskFile& file, int64_t size);
  void sync(DiskFile& file);

  // Each write that was not synchronised is dropped, kept or torn. No process may be alive.
  void lose_power();
  // The process is over: what it had open and locked is free.
  void leave(const Process& process);

  // All bytes of all files, as `cp -a` takes them while nothing runs.
  using Copy = std::map<std::string, std::string>;
  Copy copy() const;
  void restore(const Copy& copy);

  // While it lives, this disk has that content, and no trouble; then it is as before.
  class Instead {
   public:
    Instead(Disk& disk, const Copy& content);
    ~Instead();
    Instead(const Instead&) = delete;
    Instead& operator=(const Instead&) = delete;

   private:
    Disk& disk_;
    std::map<std::string, std::shared_ptr<DiskFile>> files_;
    DiskTrouble trouble_;
  };

  DiskTrouble trouble;
  Random& random() { return random_; }
  // A failing call, by chance; also counted for the report of a history.
  bool fails();
  bool fails_to_sync();

 private:
  Random& random_;
  std::map<std::string, std::shared_ptr<DiskFile>> files_;
  std::vector<std::shared_ptr<DiskFile>> removed_;  // that a process may still have open
};

// The default way of SQLite to its files, from now on. Also: no locks of its own, since one thread
// runs at a time.
void install_disk_in_sqlite();

}  // namespace patchbay::simulation
