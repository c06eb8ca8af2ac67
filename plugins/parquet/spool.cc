#include "spool.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <arrow/util/io_util.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "arrow_pool.h"
#include "patchbay/error.h"
#include "patchbay/file.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

// Reads a descriptor by position, and owns it.
class SpooledFile final : public arrow::io::RandomAccessFile {
 public:
  SpooledFile(int fd, int64_t size, std::string folder)
      : fd_(fd), size_(size), folder_(std::move(folder)) {}
  ~SpooledFile() override { close(fd_); }

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Status Seek(int64_t position) override {
    if (position < 0 || position > size_) return arrow::Status::Invalid("seeks past the end");
    position_ = position;
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    if (position < 0 || size < 0) return arrow::Status::Invalid("reads before the beginning");
    int64_t done = 0;
    while (done < size) {
      const ssize_t n = pread(fd_, static_cast<char*>(out) + done, static_cast<size_t>(size - done),
                              position + done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return arrow::internal::IOErrorFromErrno(errno, "spool_folder ", folder_);
      if (n == 0) break;
      done += n;
    }
    return done;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    size = std::max<int64_t>(0, std::min(size, size_ - position));  // whatever the file claims
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size, arrow_pool()));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position, size, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t size, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, size, out));
    position_ += read;
    return read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
    position_ += buffer->size();
    return buffer;
  }

 private:
  const int fd_;
  const int64_t size_;
  const std::string folder_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace

Spool::Spool(std::string key, int64_t memory, std::string folder)
    : key_(std::move(key)), folder_(std::move(folder)), memory_(memory) {}

Spool::~Spool() {
  if (fd_ >= 0) close(fd_);
}

void Spool::append(std::string_view data) {
  size_ += static_cast<int64_t>(data.size());
  if (fd_ < 0 && size_ <= memory_) {
    text_ += data;
    return;
  }
  if (fd_ < 0) {
    open_file();
    write(text_);
    text_ = {};
  }
  write(data);
}

void Spool::open_file() {
  fd_ = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0) return;
  if (errno != EOPNOTSUPP && errno != EISDIR) fail(errno);
  std::string name = folder_ + "/.patchbay-spool-XXXXXX";  // for file systems without O_TMPFILE
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) fail(errno);
  unlink(name.c_str());
}

void Spool::write(std::string_view data) {
  if (const int error = write_all(fd_, data)) fail(error);
}

void Spool::fail(int error) const {
  const std::string where = "spool_folder: " + folder_;
  const Error found = posix_error(where, error, "used");
  if (found.code() == Code::kConfig || found.code() == Code::kNotFound) {
    throw Error(Code::kConfig,
                std::string(found.what()) +
                    "; files larger than spool_memory lie there while they are read");
  }
  if (error != ENOSPC && error != EDQUOT) throw found;
  throw Error(Code::kUnavailable,
              where + ": the disk is full; " + key_ + " must lie there whole before it is read (" +
                  std::to_string(size_ >> 20) + " MiB so far). Make room and run again");
}

std::shared_ptr<arrow::io::RandomAccessFile> Spool::finish() {
  if (fd_ < 0)
    return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::move(text_)));
  return std::make_shared<SpooledFile>(std::exchange(fd_, -1), size_, folder_);
}

}  // namespace patchbay
