// Files that come in chunk by chunk, whole on the disk, where the engine reads them by itself.
#pragma once

#include <string>
#include <string_view>

#include "patchbay/object.h"

namespace patchbay {

// Of one stream, one after the other.
class InputFiles {
 public:
  explicit InputFiles(std::string folder) : folder_(std::move(folder)) {}  // which is there
  InputFiles(InputFiles&& other) noexcept;
  InputFiles& operator=(InputFiles&&) = delete;
  ~InputFiles();

  // True with the file's last chunk. A full disk is kUnavailable.
  bool append(const ObjectChunk& chunk);
  // Of the file that chunks went to last.
  const std::string& path() const { return path_; }
  const std::string& key() const { return key_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  void open_next(std::string_view key);
  void write(std::string_view data);
  [[noreturn]] void fail(int error) const;

  const std::string folder_;
  std::string path_, key_;
  int fd_ = -1;
};

}  // namespace patchbay
