#include "zstd_frames.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "patchbay/error.h"

namespace patchbay {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class ZstdDecoder final : public ByteFilter {
 public:
  ZstdDecoder(std::string name, int window_log)
      : name_(std::move(name)), window_log_(window_log), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_log);
  }

  bool run(std::string_view& in, bool last, std::span<char>& out) override {
    for (;;) {
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const size_t result = ZSTD_decompressStream(context_.get(), &to, &from);
      if (ZSTD_isError(result)) damaged(ZSTD_getErrorCode(result));
      // Asked without anything to do it would answer that a new frame begins.
      if (from.pos > 0 || to.pos > 0) inside_ = result != 0;
      any_ = any_ || from.pos > 0;
      in.remove_prefix(from.pos);
      out = out.subspan(to.pos);
      if (inside_ && out.empty()) return false;
      if (!in.empty()) continue;
      if (last && (inside_ || !any_)) cut();
      return true;
    }
  }

 private:
  [[noreturn]] void cut() const {
    if (!any_) {
      throw Error(Code::kData, name_ + ": is empty, which no zstd file is; write it again");
    }
    throw Error(Code::kData,
                name_ + ": is cut: the zstd data ends too early; get the whole file again");
  }

  [[noreturn]] void damaged(ZSTD_ErrorCode code) const {
    switch (code) {
      case ZSTD_error_prefix_unknown:
        throw Error(Code::kData,
                    name_ + (any_ ? ": bytes behind the zstd data are no zstd; get the file again"
                                  : ": is no zstd file; method: auto finds out what a file is"));
      case ZSTD_error_frameParameter_windowTooLarge:
        throw Error(Code::kData, name_ + ": needs a window of more than 2^" +
                                     std::to_string(window_log_) +
                                     " bytes; window_log: 31 allows up to 2 GiB of memory for it");
      case ZSTD_error_dictionary_wrong:
        throw Error(Code::kData,
                    name_ +
                        ": was compressed with a dictionary, which can't be given here; "
                        "compress it without one");
      default:
        throw Error(Code::kData, name_ + ": the zstd data is damaged: " +
                                     ZSTD_getErrorString(code) + "; get the file again");
    }
  }

  const std::string name_;
  const int window_log_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  bool inside_ = false, any_ = false;
};

class ZstdEncoder final : public ByteFilter {
 public:
  explicit ZstdEncoder(int level) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  bool run(std::string_view& in, bool last, std::span<char>& out) override {
    for (;;) {
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const size_t result =
          ZSTD_compressStream2(context_.get(), &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(result))
        throw Error(Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(result));
      in.remove_prefix(from.pos);
      out = out.subspan(to.pos);
      if (last ? result == 0 : in.empty()) return true;
      if (out.empty()) return false;
    }
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
};

}  // namespace

std::unique_ptr<ByteFilter> zstd_decoder(std::string name, int window_log) {
  return std::make_unique<ZstdDecoder>(std::move(name), window_log);
}

std::unique_ptr<ByteFilter> zstd_encoder(int level) { return std::make_unique<ZstdEncoder>(level); }

}  // namespace patchbay
