// Writes rows as files of JSON lines. Replace the files by your system; what each step promises
// stays.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "patchbay/file.h"
#include "patchbay/json_rows.h"
#include "patchbay/plugin.h"
#include "patchbay/posix_error.h"

namespace {

using namespace patchbay;

[[noreturn]] void fail(const std::string& path) {
  throw posix_error("folder: " + path, errno, "written");
}

// What is not yet committed is hidden.
std::string hidden(const std::string& folder, const std::string& name) {
  return folder + "/." + name;
}
std::string visible(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".json";
}

void sync_folder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool ok = fd >= 0 && fsync(fd) == 0;
  if (!ok) fail(folder);
  close(fd);
}

class FileWriter final : public Writer {
 public:
  FileWriter(std::string folder, std::string name, SchemaPtr schema)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        path_(hidden(folder_, name_)),
        schema_(std::move(schema)),
        fd_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (fd_ < 0) fail(path_);
  }
  ~FileWriter() override {
    close(fd_);
    if (!prepared_) unlink(path_.c_str());
  }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(Call& call, Batch batch) override {
    call.throw_if_cancelled();
    const JsonRows rows(*schema_, batch.array());
    std::string text;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      rows.append(text, row);
      text += '\n';
    }
    if (write_all(fd_, text) != 0) fail(path_);
    rows_ += batch.rows();
  }

  // Durable, and hidden. The token is all that commit needs, in any process.
  Prepared prepare(Call& call) override {
    call.durable_step("@name@.before_prepare");
    if (fsync(fd_) != 0) fail(path_);
    sync_folder(folder_);
    prepared_ = true;
    call.durable_step("@name@.prepared");
    return {name_, rows_};
  }

 private:
  const std::string folder_, name_, path_;
  const SchemaPtr schema_;
  const int fd_;
  int64_t rows_ = 0;
  bool prepared_ = false;
};

class JsonFolder final : public Sink {
 public:
  JsonFolder(Context&, const Config& config) : folder_(config.get<std::string>("folder")) {}

  void check(Call&) override {
    if (access(folder_.c_str(), W_OK | X_OK) != 0 && errno != ENOENT) fail(folder_);
  }

  std::unique_ptr<Writer> open(Call&, const SchemaPtr& schema, const std::string& txn) override {
    if (mkdir(folder_.c_str(), 0777) != 0 && errno != EEXIST) fail(folder_);
    return std::make_unique<FileWriter>(folder_, txn + "." + std::to_string(opened_++), schema);
  }

  // May come again, in another process, after any part of it was done.
  void commit(Call& call, const std::string&, uint64_t,
              std::span<const std::string> tokens) override {
    for (const auto& token : tokens) {
      call.durable_step("@name@.before_commit");
      const std::string from = hidden(folder_, token), to = visible(folder_, token);
      if (rename(from.c_str(), to.c_str()) == 0 || access(to.c_str(), F_OK) == 0) continue;
      throw Error(Code::kNotFound, "folder: " + from + ": what was prepared is gone");
    }
    if (!tokens.empty()) sync_folder(folder_);
    call.durable_step("@name@.committed");
  }

  // By name alone: whoever wrote the files may be gone.
  void abort(Call&, std::span<const std::string> txns) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> listed(opendir(folder_.c_str()), closedir);
    if (!listed && errno == ENOENT) return;
    if (!listed) fail(folder_);
    while (const dirent* entry = readdir(listed.get())) {
      const std::string_view name(entry->d_name);
      for (const auto& txn : txns) {
        if (name.starts_with("." + txn + ".")) unlink((folder_ + "/" + entry->d_name).c_str());
      }
    }
  }

 private:
  std::string folder_;
  int opened_ = 0;
};

}  // namespace

PATCHBAY_PLUGIN(patchbay::component<JsonFolder>("@name@"))
