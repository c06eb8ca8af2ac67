// Reads the lines of a text file, each once. Replace LineReader by what reads your system.
#include <array>
#include <cerrno>
#include <fstream>

#include "patchbay/plugin.h"
#include "patchbay/posix_error.h"
#include "patchbay/text_value.h"

namespace {

using namespace patchbay;

constexpr int64_t kBatchBytes = 8 << 20;
constexpr size_t kLineBytes = 64 << 10;

SchemaPtr lines_schema() {
  return std::make_shared<const Schema>(
      Schema{"lines",
             {{"line", scalar(TypeId::kInt64), false}, {"text", scalar(TypeId::kUtf8), false}},
             {"line"}});
}

std::ifstream open_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw posix_error("path: " + path, errno, "read");
  return file;
}

class LineReader final : public Reader {
 public:
  LineReader(std::string path, const Json::Value& state)
      : path_(std::move(path)),
        file_(open_file(path_)),
        line_(state["line"].asInt64()),
        offset_(state["offset"].asInt64()) {
    file_.seekg(0, std::ios::end);
    if (file_.tellg() < offset_) {
      throw Error(Code::kData, "path: " + path_ +
                                   ": is shorter than when it was last read; "
                                   "`patchbay run --full-refresh` reads all of it");
    }
    file_.seekg(offset_);
  }

  Event next(Call& call) override {
    call.throw_if_cancelled();
    if (!begun_) {
      begun_ = true;
      return StreamBegin{0, schema_};
    }
    BatchBuilder batch(schema_);
    while (batch.rows() < call.max_rows() && batch.bytes() < kBatchBytes && read_line()) {
      batch.column<Int64Builder>("line").append(line_);
      batch.column<Utf8Builder>("text").append(text_);
    }
    if (batch.rows() == 0) return End{};
    return BatchEvent{0, batch.finish()};
  }

  // What resumes after the rows returned so far.
  Checkpoint checkpoint(Call&, Json::Value& state) override {
    state["line"] = Json::Int64(line_);
    state["offset"] = Json::Int64(offset_);
    return Checkpoint::kState;
  }

 private:
  bool read_line() {
    file_.getline(buffer_.data(), buffer_.size());
    if (file_.eof()) return false;
    if (!file_) fail("is longer than 65535 bytes");
    text_ = std::string_view(buffer_.data(), static_cast<size_t>(file_.gcount()) - 1);
    if (!is_utf8(text_)) fail("is no UTF-8");
    ++line_;
    offset_ += file_.gcount();
    return true;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Code::kData, path_ + ": line " + std::to_string(line_ + 1) + ": " + why);
  }

  const SchemaPtr schema_ = lines_schema();
  const std::string path_;
  std::ifstream file_;
  std::array<char, kLineBytes> buffer_{};
  std::string_view text_;
  int64_t line_, offset_;  // of what was returned
  bool begun_ = false;
};

class Lines final : public Source {
 public:
  Lines(Context&, const Config& config) : path_(config.get<std::string>("path")) {}  // no I/O

  void check(Call&) override { open_file(path_); }
  std::vector<Schema> discover(Call&) override { return {*lines_schema()}; }

  std::vector<Split> plan(Call&, const std::vector<std::string>& streams, uint32_t) override {
    for (const auto& stream : streams) {
      if (stream == "lines") return {{"lines", "lines", false, {}}};
    }
    if (streams.empty()) return {{"lines", "lines", false, {}}};
    return {};
  }

  std::unique_ptr<Reader> open(Call&, const Split&, const Json::Value& state) override {
    return std::make_unique<LineReader>(path_, state);
  }

 private:
  std::string path_;
};

}  // namespace

PATCHBAY_PLUGIN(patchbay::component<Lines>("@name@"))
