#include "files_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "file_pattern.h"
#include "patchbay/object.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::string path;
  int64_t size = 0;
  int64_t modified = 0;  // microseconds since the epoch
};

[[noreturn]] void fail(const std::string& path, int error) {
  const Code code = error == ENOENT   ? Code::kNotFound
                    : error == EACCES ? Code::kAuth
                                      : Code::kUnavailable;
  throw Error(code, path + ": " + std::strerror(error));
}

Found stat_file(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) fail(path, errno);
  return {path, status.st_size,
          status.st_mtim.tv_sec * int64_t{1'000'000} + status.st_mtim.tv_nsec / 1000};
}

std::string etag_of(const Found& file) {
  return std::to_string(file.size) + "-" + std::to_string(file.modified);
}

// One file, chunk by chunk. A file is one whole: no epoch ends inside it.
class FileReader final : public Reader {
 public:
  FileReader(SchemaPtr schema, Found file) : schema_(std::move(schema)), file_(std::move(file)) {
    fd_ = open(file_.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(file_.path, errno);
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
      if (n < 0) fail(file_.path, errno);
      if (n == 0) break;
      size += static_cast<size_t>(n);
    }
    done_ = size < buffer_.size();
    ObjectBuilder batch(schema_);
    batch.append(
        {file_.path, file_.size, file_.modified, etag_, offset_, {buffer_.data(), size}, done_});
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
    throw Error(Code::kUnavailable, file_.path + ": changed while it was read (" +
                                        std::to_string(file_.size) + " bytes at first, " +
                                        std::to_string(offset_) + " read)");
  }

  const SchemaPtr schema_;
  const Found file_;
  const std::string etag_ = etag_of(file_);
  int fd_ = -1;
  std::string buffer_;
  int64_t offset_ = 0;
  bool announced_ = false, done_ = false;
};

std::string default_stream(const std::string& path) {
  const fs::path p(path);
  if (!is_pattern(path)) {
    const std::string name = p.filename().string();
    return name.substr(0, std::max<size_t>(1, name.find('.')));
  }
  std::string folder = "files";
  for (const auto& part : p.parent_path()) {
    if (!is_pattern(part.string()) && part != "." && part != "/") folder = part.string();
  }
  return folder;
}

}  // namespace

FilesSource::FilesSource(Context&, const Config& config)
    : path_(config.get<std::string>("path")),
      select_(config.get<std::string>("select")),
      order_(config.get<std::string>("order")),
      stream_(
          config.get_or<std::string>("stream", default_stream(config.get<std::string>("path")))) {}

void FilesSource::check(Call&) {
  const auto files = find_files(path_);
  if (files.empty() && !is_pattern(path_))
    throw Error(Code::kNotFound, "path: " + path_ + " is not there");
  for (const auto& file : files) {
    if (access(file.c_str(), R_OK) != 0) fail(file.string(), errno);
  }
}

std::vector<Schema> FilesSource::discover(Call&) { return {object_schema(stream_)}; }

std::vector<Split> FilesSource::plan(Call&, const std::vector<std::string>& streams, uint32_t) {
  if (!streams.empty() && std::find(streams.begin(), streams.end(), stream_) == streams.end())
    return {};
  std::vector<Found> files;
  for (const auto& path : find_files(path_)) files.push_back(stat_file(path.string()));
  if (files.empty() && !is_pattern(path_))
    throw Error(Code::kNotFound, "path: " + path_ + " is not there");
  if (order_ == "modified") {
    std::stable_sort(files.begin(), files.end(),
                     [](const auto& a, const auto& b) { return a.modified < b.modified; });
  }
  if (select_ == "newest" && !files.empty()) files = {files.back()};
  std::vector<Split> splits;
  for (const auto& file : files) {
    const bool once = select_ != "all";
    Split split{once ? file.path + "#" + etag_of(file) : file.path, stream_, once,
                Json::objectValue};
    split.detail["path"] = file.path;
    splits.push_back(std::move(split));
  }
  return splits;
}

std::unique_ptr<Reader> FilesSource::open(Call&, const Split& split, const Json::Value&) {
  return std::make_unique<FileReader>(std::make_shared<const Schema>(object_schema(stream_)),
                                      stat_file(split.detail["path"].asString()));
}

}  // namespace patchbay
