#include "files_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "patchbay/object.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, int error) {
  const Code code = error == ENOENT   ? Code::kNotFound
                    : error == EACCES ? Code::kAuth
                                      : Code::kUnavailable;
  throw Error(code, path + ": " + std::strerror(error));
}

FoundObject stat_file(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) fail(path, errno);
  FoundObject file{path, "", status.st_size,
                   status.st_mtim.tv_sec * int64_t{1'000'000} + status.st_mtim.tv_nsec / 1000,
                   Json::objectValue};
  file.version = std::to_string(file.size) + "-" + std::to_string(file.modified);
  file.detail["path"] = path;
  return file;
}

// One file, chunk by chunk. A file is one whole: no epoch ends inside it.
class FileReader final : public Reader {
 public:
  FileReader(SchemaPtr schema, FoundObject file)
      : schema_(std::move(schema)), file_(std::move(file)) {
    fd_ = open(file_.key.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(file_.key, errno);
    posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~FileReader() override { close(fd_); }

  Event next(Call&) override {
    if (!announced_) {
      announced_ = true;
      return StreamBegin{0, schema_};
    }
    if (done_) return End{};
    buffer_.resize(kObjectChunk);
    size_t size = 0;
    while (size < buffer_.size()) {
      const ssize_t n = read(fd_, buffer_.data() + size, buffer_.size() - size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(file_.key, errno);
      if (n == 0) break;
      size += static_cast<size_t>(n);
    }
    done_ = size < buffer_.size();
    ObjectBuilder batch(schema_);
    batch.append({file_.key,
                  file_.size,
                  file_.modified,
                  file_.version,
                  offset_,
                  {buffer_.data(), size},
                  done_});
    offset_ += static_cast<int64_t>(size);
    if (done_) check_size();
    return BatchEvent{0, batch.finish()};
  }

  Checkpoint checkpoint(Call&, Json::Value&) override {
    return done_ ? Checkpoint::kUnchanged : Checkpoint::kNotNow;
  }

 private:
  void check_size() const {
    if (offset_ == file_.size) return;
    throw Error(Code::kUnavailable, file_.key + ": changed while it was read (" +
                                        std::to_string(file_.size) + " bytes at first, " +
                                        std::to_string(offset_) + " read)");
  }

  const SchemaPtr schema_;
  const FoundObject file_;
  int fd_ = -1;
  std::string buffer_;
  int64_t offset_ = 0;
  bool announced_ = false, done_ = false;
};

// The folder above the first part that has a wildcard.
fs::path fixed_folder(const std::string& prefix) {
  const size_t slash = prefix.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : prefix.substr(0, slash);
}

// The path as the pattern writes it: without the dot that stands for the working directory.
std::string named(const fs::path& path, const std::string& prefix) {
  const std::string text = path.string();
  return text.starts_with("./") && !prefix.starts_with("./") ? text.substr(2) : text;
}

// What is gone is not there; what may not be looked into would be missed in silence.
void require_seen(const std::string& path, const std::error_code& error) {
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    fail(path, error.value());
}

std::vector<FoundObject> find_files(const std::string& pattern) {
  std::vector<FoundObject> out;
  if (!is_pattern(pattern)) {
    std::error_code error;
    if (fs::is_regular_file(pattern, error)) out.push_back(stat_file(pattern));
    require_seen(pattern, error);
    return out;
  }
  for (const auto& [prefix, flat] : list_prefixes(pattern)) {
    std::error_code error;
    std::string at = fixed_folder(prefix).string();
    fs::recursive_directory_iterator it(at, error);
    for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
      at = it->path().string();
      if (flat) it.disable_recursion_pending();
      const std::string path = named(it->path(), prefix);
      std::error_code vanished;
      if (path.starts_with(prefix) && it->is_regular_file(vanished) && finds(pattern, path))
        out.push_back(stat_file(path));
    }
    require_seen(at, error);
  }
  return out;
}

}  // namespace

FilesSource::FilesSource(Context& context, const Config& config)
    : context_(context), selection_(config, "files") {}

std::vector<FoundObject> FilesSource::find() const {
  auto files = find_files(selection_.path());
  if (files.empty() && !is_pattern(selection_.path()))
    throw Error(Code::kNotFound, "path: " + selection_.path() + " is not there");
  return files;
}

void FilesSource::check(Call&) {
  for (const auto& file : find()) {
    if (access(file.key.c_str(), R_OK) != 0) fail(file.key, errno);
  }
}

std::vector<Schema> FilesSource::discover(Call&) { return {*selection_.schema()}; }

std::vector<Split> FilesSource::plan(Call&, const std::vector<std::string>& streams, uint32_t) {
  if (!selection_.is_wanted(streams)) return {};
  auto found = find();
  selection_.warn_of_nothing(found, context_);
  return selection_.splits(std::move(found));
}

std::unique_ptr<Reader> FilesSource::open(Call&, const Split& split, const Json::Value&) {
  return std::make_unique<FileReader>(selection_.schema(),
                                      stat_file(split.detail["path"].asString()));
}

}  // namespace patchbay
