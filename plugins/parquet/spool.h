// The bytes of an object until its last one is there: Parquet files are read from their end.
#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace patchbay {

// Up to `memory` bytes are held in memory, more go to a file without a name in `folder`, which is
// gone with the process.
class Spool {
 public:
  Spool(std::string key, int64_t memory, std::string folder);
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  // A full disk is kUnavailable, a folder that is not there kConfig.
  void append(std::string_view data);
  const std::string& key() const { return key_; }
  int64_t size() const { return size_; }
  bool on_disk() const { return fd_ >= 0; }
  // What was appended, to be read as often as needed; nothing can be appended any more.
  std::shared_ptr<arrow::io::RandomAccessFile> finish();

 private:
  void open_file();
  void write(std::string_view data);
  [[noreturn]] void fail(int error) const;

  const std::string key_, folder_;
  const int64_t memory_;
  std::string text_;
  int64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace patchbay
