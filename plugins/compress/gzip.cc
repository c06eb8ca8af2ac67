#include "gzip.h"

#include <isa-l/igzip_lib.h>

#include <vector>

#include "gzip_header.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

constexpr size_t kMostAtOnce = 1 << 30;  // ISA-L counts in 32 bits

uint8_t* bytes(const char* data) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(data));  // ISA-L's fields lack const
}

class GzipDecoder final : public ByteFilter {
 public:
  explicit GzipDecoder(std::string name) : name_(std::move(name)) { begin_member(); }

  bool run(std::string_view& in, bool last, std::span<char>& out) override {
    any_ = any_ || !in.empty();
    for (;;) {
      if (place_ == Place::kBetween) between(in, last);
      if (place_ == Place::kHeader) read_header(in);
      if (place_ == Place::kData) inflate(in, out);
      if (place_ == Place::kBetween && !in.empty()) continue;
      if (place_ == Place::kData && out.empty()) return false;
      if (last && (place_ == Place::kData || place_ == Place::kHeader)) cut();
      return true;
    }
  }

 private:
  enum class Place { kHeader, kData, kBetween };

  void begin_member() {
    header_ = {};
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
    place_ = Place::kHeader;
  }

  void read_header(std::string_view& in) {
    switch (header_.take(in)) {
      case GzipHeader::State::kWhole:
        place_ = Place::kData;
        break;
      case GzipHeader::State::kMore:
        break;
      case GzipHeader::State::kBroken:
        if (any_members_) damaged("a header is broken");
        throw Error(Code::kData, name_ +
                                     ": is no gzip file, or its header is damaged; method: auto "
                                     "finds out what a file is");
    }
  }

  void inflate(std::string_view& in, std::span<char>& out) {
    state_.next_in = bytes(in.data());
    state_.avail_in = static_cast<uint32_t>(std::min(in.size(), kMostAtOnce));
    state_.next_out = bytes(out.data());
    state_.avail_out = static_cast<uint32_t>(std::min(out.size(), kMostAtOnce));
    const size_t had = state_.avail_in, room = state_.avail_out;
    const int result = isal_inflate(&state_);
    in.remove_prefix(had - state_.avail_in);
    out = out.subspan(room - state_.avail_out);
    if (result == ISAL_INCORRECT_CHECKSUM) damaged("its checksum does not fit");
    const bool finished = state_.block_state == ISAL_BLOCK_FINISH;
    if (result < 0 || result == ISAL_NEED_DICT || (!finished && !in.empty() && !out.empty()))
      damaged("it can't be inflated");
    if (!finished) return;
    place_ = Place::kBetween;
    any_members_ = true;
  }

  // Another member, or padding. The first byte of a member may end a piece.
  void between(std::string_view& in, bool last) {
    if (half_magic_ && !in.empty() && in[0] == '\x8b') {
      half_magic_ = false;
      begin_member();
      std::string_view first("\x1f");
      return read_header(first);
    }
    if (half_magic_ && (last || !in.empty())) garbage();
    if (in.starts_with("\x1f\x8b")) return begin_member();
    if (in == "\x1f" && !last) {
      half_magic_ = true;
      in = {};
      return;
    }
    const size_t end = std::min(in.find_first_not_of('\0'), in.size());
    in.remove_prefix(end);
    if (!in.empty()) garbage();
  }

  // They may be a member whose first bytes are damaged: to leave them out might lose its rows.
  [[noreturn]] void garbage() const {
    throw Error(Code::kData,
                name_ + ": bytes behind the gzip data are no gzip; get the file again");
  }

  [[noreturn]] void cut() const {
    if (!any_) {
      throw Error(Code::kData, name_ + ": is empty, which no gzip file is; write it again");
    }
    throw Error(Code::kData,
                name_ + ": is cut: the gzip data ends too early; get the whole file again");
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Code::kData,
                name_ + ": the gzip data is damaged: " + what + "; get the file again");
  }

  const std::string name_;
  GzipHeader header_;
  inflate_state state_;
  Place place_ = Place::kHeader;
  bool any_ = false, any_members_ = false, half_magic_ = false;
};

uint32_t buffer_size(uint32_t level) {
  constexpr uint32_t kSizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
                                 ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
  return kSizes[level];
}

class GzipEncoder final : public ByteFilter {
 public:
  explicit GzipEncoder(uint32_t level) : work_(buffer_size(level)) {
    isal_deflate_init(&stream_);
    stream_.level = level;
    stream_.level_buf = work_.data();
    stream_.level_buf_size = static_cast<uint32_t>(work_.size());
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.flush = NO_FLUSH;
  }

  bool run(std::string_view& in, bool last, std::span<char>& out) override {
    for (;;) {
      const size_t had = std::min(in.size(), kMostAtOnce), room = std::min(out.size(), kMostAtOnce);
      stream_.next_in = bytes(in.data());
      stream_.avail_in = static_cast<uint32_t>(had);
      stream_.end_of_stream = last && had == in.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = static_cast<uint32_t>(room);
      if (const int result = isal_deflate(&stream_); result != COMP_OK) {
        throw Error(Code::kInternal, "gzip: ISA-L failed with " + std::to_string(result));
      }
      in.remove_prefix(had - stream_.avail_in);
      out = out.subspan(room - stream_.avail_out);
      if (stream_.internal_state.state == ZSTATE_END) return true;
      if (out.empty()) return false;
      if (in.empty() && !last) return true;
    }
  }

 private:
  std::vector<uint8_t> work_;
  isal_zstream stream_;
};

}  // namespace

std::unique_ptr<ByteFilter> gzip_decoder(std::string name) {
  return std::make_unique<GzipDecoder>(std::move(name));
}

std::unique_ptr<ByteFilter> gzip_encoder(uint32_t level) {
  return std::make_unique<GzipEncoder>(level);
}

}  // namespace patchbay
