#include "standard_store.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "patchbay/file.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

constexpr const char* kInput = "standard input";
constexpr const char* kOutput = "standard output";

class StandardInput final : public Download {
 public:
  std::string_view read(Call& call) override {
    if (!begun_) begin();
    buffer_.resize(kObjectChunk);
    for (;;) {
      pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {call.cancel_fd(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) throw posix_error(kInput, errno, "read");
      call.throw_if_cancelled();
      if (fds[0].revents == 0) continue;
      const ssize_t size = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
      if (size >= 0) return {buffer_.data(), static_cast<size_t>(size)};
      if (errno != EINTR && errno != EAGAIN) throw posix_error(kInput, errno, "read");
    }
  }
  void finish(Call&) override {}

 private:
  // What was read is not there for a second attempt.
  void begin() {
    static std::atomic<bool> read_before{false};
    begun_ = true;
    if (!read_before.exchange(true)) return;
    throw Error(Code::kRemote, std::string(kInput) + ": cannot be read again; run again");
  }

  bool begun_ = false;
  std::string buffer_;
};

class StandardOutput final : public Upload {
 public:
  using Keep = std::function<void(StandardStore::Spool)>;
  explicit StandardOutput(std::string txn, Keep keep)
      : txn_(std::move(txn)), keep_(std::move(keep)), spool_(std::tmpfile()) {
    if (!spool_) throw posix_error("a temporary file", errno, "made");
  }
  void append(Call&, std::string_view bytes) override {
    if (std::fwrite(bytes.data(), 1, bytes.size(), spool_.get()) != bytes.size())
      throw posix_error(kOutput, errno, "spooled");
  }
  Json::Value finish(Call&) override {
    if (std::fflush(spool_.get()) != 0) throw posix_error(kOutput, errno, "spooled");
    Json::Value detail;
    detail["txn"] = txn_;
    keep_(std::move(spool_));
    return detail;
  }

 private:
  const std::string txn_;
  const Keep keep_;
  StandardStore::Spool spool_;
};

// A part may be out already, so nothing is tried again.
void write_out(std::FILE* spool) {
  if (std::fseek(spool, 0, SEEK_SET) != 0) throw posix_error(kOutput, errno, "spooled");
  std::string buffer(kObjectChunk, '\0');
  while (const size_t size = std::fread(buffer.data(), 1, buffer.size(), spool)) {
    if (const int error = write_all(STDOUT_FILENO, {buffer.data(), size}))
      throw Error(Code::kRemote, posix_error(kOutput, error, "written").what());
  }
}

}  // namespace

StandardStore::StandardStore(const Config& config) : is_sink_(config.has("if_exists")) {
  if (is_sink_) return;
  for (const char* option : {"on_commit", "on_refusal"}) {
    if (config.has(option)) config_error(option, "needs a file, and path is standard input");
  }
  if (config.get<std::string>("select") != "all")
    config_error("select", "must be all where path is standard input, which is read once");
}

std::string StandardStore::uri(const std::string&) const { return is_sink_ ? kOutput : kInput; }

std::optional<FoundObject> StandardStore::find(Call&, const std::string&) {
  return FoundObject{"stdin", "", -1, 0, {}};
}

void StandardStore::list(Call&, const ListedPrefix&, const TakeObject&) {}

std::unique_ptr<Download> StandardStore::open(Call&, const FoundObject&) {
  return std::make_unique<StandardInput>();
}

std::unique_ptr<Upload> StandardStore::begin(Call&, const Target& target) {
  return std::make_unique<StandardOutput>(target.txn, [this, txn = target.txn](Spool spool) {
    const std::lock_guard lock(mutex_);
    spools_[txn] = std::move(spool);
  });
}

Outcome StandardStore::outcome(Call&, const Json::Value& detail) {
  const std::lock_guard lock(mutex_);
  const auto found = spools_.find(detail["txn"].asString());
  if (found == spools_.end()) return Outcome::kGone;
  return found->second ? Outcome::kPrepared : Outcome::kCommitted;
}

Revealed StandardStore::reveal(Call&, const Json::Value& detail, IfExists) {
  Spool spool;
  {
    const std::lock_guard lock(mutex_);
    const auto found = spools_.find(detail["txn"].asString());
    if (found == spools_.end())
      throw Error(Code::kNotFound, std::string(kOutput) + ": what was spooled for it is gone");
    if (!found->second) return Revealed::kBefore;
    spool = std::move(found->second);
  }
  write_out(spool.get());
  return Revealed::kNow;
}

void StandardStore::drop(Call&, std::span<const std::string> txns) {
  const std::lock_guard lock(mutex_);
  for (const auto& txn : txns) spools_.erase(txn);
}

void StandardStore::copy(Call&, const FoundObject&, const ObjectName&) {}
void StandardStore::remove(Call&, const FoundObject&) {}
void StandardStore::check(Call&) {}

}  // namespace patchbay
