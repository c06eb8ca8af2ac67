// The databases that sinks of this process write. A source that reads one of them must not keep it
// locked: its own process would wait for it.
#pragma once

#include <string>

namespace patchbay {

// For the lifetime of a sink. Any thread; no input or output.
class WrittenFile {
 public:
  explicit WrittenFile(const std::string& path);
  ~WrittenFile();
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;

 private:
  const std::string path_;
};

// Whether a sink of this process writes the file, under this or another name.
bool is_written_here(const std::string& path);

}  // namespace patchbay
