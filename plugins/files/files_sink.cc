#include "files_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "patchbay/file.h"
#include "patchbay/json_value.h"
#include "patchbay/object.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw Error(
        Code::kUnavailable,
        path + ": the disk is full; nothing of this step is visible. Make room and run again");
  }
  const Code code = error == ENOENT || error == ENOTDIR ? Code::kNotFound
                    : error == EACCES || error == EROFS ? Code::kConfig
                                                        : Code::kUnavailable;
  throw Error(code, path + ": " + std::strerror(error));
}

void sync_folder(const fs::path& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(folder.string(), errno);
  const int result = fsync(fd);
  close(fd);
  if (result != 0) fail(folder.string(), errno);
}

// The folder that holds every file the path can name: temporary files are looked for below it.
fs::path fixed_folder(const ObjectPath& path) {
  const fs::path folder = fs::path(path.fixed()).parent_path();
  return folder.empty() ? "." : folder;
}

std::string marker(const std::string& txn) { return ".patchbay-" + txn + "-"; }

class FilesWriter final : public Writer {
 public:
  FilesWriter(ObjectPath path, std::string if_exists, bool create, std::string stream,
              std::string txn)
      : path_(std::move(path)),
        if_exists_(std::move(if_exists)),
        create_(create),
        stream_(std::move(stream)),
        txn_(std::move(txn)) {
    token_["if_exists"] = if_exists_;
    token_["files"] = Json::arrayValue;
  }
  ~FilesWriter() override {
    if (fd_ >= 0) close(fd_);
  }

  void write(Call& call, Batch batch) override {
    const ObjectView view(batch);
    for (int64_t row = 0; row < view.rows(); ++row) {
      call.throw_if_cancelled();
      const ObjectChunk chunk = view[row];
      if (fd_ < 0) begin(call, std::string(chunk.key));
      if (const int error = write_all(fd_, chunk.data)) fail(target_, error);
      if (chunk.last) finish();
    }
    rows_ += batch.rows();
  }

  Prepared prepare(Call& call) override {
    if (fd_ >= 0) throw Error(Code::kInternal, target_ + ": the epoch ends inside an object");
    call.durable_step("files.prepared");
    return {write_json(token_), rows_};
  }

 private:
  void begin(Call& call, const std::string& key) {
    target_ = path_.claim("", txn_, stream_, key, ++files_);
    const fs::path target(target_);
    const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
    std::error_code error;
    if (create_) fs::create_directories(folder, error);
    if (error) fail(folder.string(), error.value());
    if (if_exists_ == "fail" && fs::exists(target)) {
      throw Error(Code::kRemote, target_ + ": is already there, and if_exists is fail");
    }
    temporary_ =
        (folder / (marker(txn_) + std::to_string(files_) + "-" + target.filename().string()))
            .string();
    call.durable_step("files.create");
    fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(temporary_, errno);
  }

  void finish() {
    struct stat status{};
    if (fsync(fd_) != 0 || fstat(fd_, &status) != 0) fail(target_, errno);
    close(std::exchange(fd_, -1));
    sync_folder(fs::path(temporary_).parent_path());
    Json::Value file;
    file["inode"] = Json::UInt64(status.st_ino);
    file["temporary"] = temporary_;
    file["target"] = target_;
    token_["files"].append(file);
  }

  const ObjectPath path_;
  const std::string if_exists_;
  const bool create_;
  const std::string stream_, txn_;
  Json::Value token_;
  std::string target_, temporary_;
  uint64_t files_ = 0;
  int fd_ = -1;
  int64_t rows_ = 0;
};

// A rename keeps the inode, so a commit that a crash cut short is told from a file that is lost.
bool was_revealed(const Json::Value& file) {
  struct stat status{};
  return stat(file["target"].asCString(), &status) == 0 &&
         status.st_ino == file["inode"].asUInt64();
}

// False where the target is there already.
bool rename_to_new(const std::string& temporary, const std::string& target) {
  if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0)
    return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) fail(target, errno);
  if (fs::exists(target)) return false;  // a file system without that flag
  if (rename(temporary.c_str(), target.c_str()) != 0) fail(target, errno);
  return true;
}

void reveal(const Json::Value& file, const std::string& if_exists) {
  const std::string temporary = file["temporary"].asString(), target = file["target"].asString();
  if (!fs::exists(temporary)) {
    if (was_revealed(file) || (if_exists == "skip" && fs::exists(target))) return;
    throw Error(Code::kNotFound, target + ": the prepared file " + temporary + " is gone");
  }
  if (if_exists == "replace") {
    if (rename(temporary.c_str(), target.c_str()) != 0) fail(target, errno);
  } else if (!rename_to_new(temporary, target)) {
    if (if_exists == "fail") {
      throw Error(Code::kRemote, target +
                                     ": is already there, and if_exists is fail; move it away and "
                                     "run again");
    }
    fs::remove(temporary);
  }
  sync_folder(fs::path(temporary).parent_path());
}

}  // namespace

FilesSink::FilesSink(Context&, const Config& config)
    : path_(config.get<std::string>("path")),
      if_exists_(config.get<std::string>("if_exists")),
      create_(config.get<bool>("create")) {}

void FilesSink::check(Call&) {
  fs::path folder = fixed_folder(path_);
  while (create_ && !fs::exists(folder) && folder.has_parent_path()) folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK) != 0) fail(folder.string(), errno);
}

Json::Value FilesSink::plan_schema(Call&, const SchemaPtr& stream) {
  require_objects(*stream, "files");
  return Json::arrayValue;
}

std::unique_ptr<Writer> FilesSink::open(Call&, const SchemaPtr& stream, const std::string& txn) {
  return std::make_unique<FilesWriter>(path_, if_exists_, create_, stream->name, txn);
}

void FilesSink::commit(Call& call, const std::string&, uint64_t,
                       std::span<const std::string> tokens) {
  for (const auto& text : tokens) {
    const Json::Value token = parse_json(text);
    for (const auto& file : token["files"]) {
      call.durable_step("files.rename");
      reveal(file, token["if_exists"].asString());
    }
  }
  call.durable_step("files.renamed");
}

void FilesSink::abort(Call&, std::span<const std::string> txns) {
  const fs::path folder = fixed_folder(path_);
  if (!fs::is_directory(folder)) return;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    for (const auto& txn : txns) {
      if (entry.path().filename().string().starts_with(marker(txn))) fs::remove(entry.path());
    }
  }
}

}  // namespace patchbay
