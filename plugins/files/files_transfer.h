// Files that are read and written.
#pragma once

#include <string>

#include "files_folder.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

// One version of a file. A file that grows, shrinks, is written over or replaced meanwhile is Error
// kUnavailable.
class FileDownload final : public Download {
 public:
  // Throws Error kUnavailable if the file has another version by now.
  FileDownload(std::string path, std::string version);
  ~FileDownload() override;
  FileDownload(const FileDownload&) = delete;
  FileDownload& operator=(const FileDownload&) = delete;

  std::string_view read(Call& call) override;
  void finish(Call& call) override;

 private:
  const std::string path_, version_;
  int fd_;
  bool inodes_last_ = false;
  std::string buffer_;
};

// A file under a hidden name. Removed if it is not finished.
class FileUpload final : public Upload {
 public:
  // `path` is the target's, for messages; `detail` is what finish adds to.
  FileUpload(Folder folder, std::string name, std::string path, Json::Value detail);
  ~FileUpload() override;
  FileUpload(const FileUpload&) = delete;
  FileUpload& operator=(const FileUpload&) = delete;

  void append(Call& call, std::string_view bytes) override;
  void set_modified(const timespec& time);
  Json::Value finish(Call& call) override;

 private:
  const Folder folder_;
  const std::string name_, path_;
  Json::Value detail_;
  int fd_;  // -1 once finished
};

}  // namespace patchbay
