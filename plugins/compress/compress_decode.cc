#include "compress_decode.h"

#include "ending.h"
#include "gzip.h"
#include "zstd_frames.h"

namespace patchbay {
namespace {

struct DecodeConfig {
  Method method;
  int window_log;
};

std::unique_ptr<ByteFilter> make_decoder(Method method, const DecodeConfig& config,
                                         const std::string& name) {
  switch (method) {
    case Method::kGzip:
      return gzip_decoder(name);
    case Method::kZstd:
      return zstd_decoder(name, config.window_log);
    default:
      return std::make_unique<CopyBytes>();
  }
}

// By the first four bytes: RFC 1952 2.3.1; RFC 8878 3.1.1 and 3.1.2.
Method method_of(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return Method::kGzip;
  if (head == "\x28\xb5\x2f\xfd") return Method::kZstd;
  const bool skippable =
      head.size() == 4 && (head[0] & 0xf0) == 0x50 && head.substr(1) == "\x2a\x4d\x18";
  return skippable ? Method::kZstd : Method::kNone;
}

// Decides once it has seen the first bytes.
class AutoDecoder final : public ByteFilter {
 public:
  AutoDecoder(const DecodeConfig& config, std::string name)
      : config_(config), name_(std::move(name)) {}

  bool run(std::string_view& in, bool last, std::span<char>& out) override {
    if (!decoder_) {
      const size_t n = std::min(in.size(), 4 - head_.size());
      head_ += in.substr(0, n);
      in.remove_prefix(n);
      if (head_.size() < 4 && !last) return true;
      decide();
      head_rest_ = head_;
    }
    if (!head_rest_.empty()) {
      const bool waits = decoder_->run(head_rest_, last && in.empty(), out);
      if (!waits || !head_rest_.empty()) return false;
      if (in.empty()) return true;
    }
    return decoder_->run(in, last, out);
  }

 private:
  void decide() {
    const Method method = method_of(head_);
    if (method == Method::kNone && method_of_name(name_) != Method::kNone) {
      const std::string what = head_.empty() ? "is empty, which no compressed file is"
                                             : "is neither gzip nor zstd, though its name says so";
      throw Error(Code::kData,
                  name_ + ": " + what + "; get it again, or take it as it is: method: none");
    }
    decoder_ = make_decoder(method, config_, name_);
  }

  const DecodeConfig config_;
  const std::string name_;
  std::string head_;
  std::string_view head_rest_;
  std::unique_ptr<ByteFilter> decoder_;
};

ObjectFilter parse_config(const Config& config) {
  const DecodeConfig decode{parse_method(config.get<std::string>("method")),
                            static_cast<int>(config.get<int64_t>("window_log"))};
  ObjectFilter out;
  out.max_ratio = config.get<double>("max_ratio");
  out.rename = [decode](std::string_view key) {
    return decode.method == Method::kNone ? std::string(key) : without_ending(key);
  };
  out.make = [decode](const std::string& name) -> std::unique_ptr<ByteFilter> {
    if (decode.method == Method::kAuto) return std::make_unique<AutoDecoder>(decode, name);
    return make_decoder(decode.method, decode, name);
  };
  return out;
}

}  // namespace

CompressDecode::CompressDecode(Context&, const Config& config) : filter_(parse_config(config)) {}

std::vector<Schema> CompressDecode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return same_streams(in);
}

std::unique_ptr<Reader> CompressDecode::open(Call&, std::vector<Input> inputs) {
  return filter_objects(filter_, std::move(inputs.at(0)));
}

}  // namespace patchbay
