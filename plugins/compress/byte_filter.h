// Bytes of one object in, other bytes out, piece by piece.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace patchbay {

class ByteFilter {
 public:
  virtual ~ByteFilter() = default;
  // Takes bytes off the front of `in` and fills `out` from its front, until one of them is used up.
  // `last`: nothing follows `in`. True where it waits for more input, or, after the last one, has
  // given everything; false where it wants more room. Throws Error kData for bytes that it can't
  // read; the message names the object.
  virtual bool run(std::string_view& in, bool last, std::span<char>& out) = 0;
};

using MakeFilter = std::function<std::unique_ptr<ByteFilter>(const std::string& name)>;

// The bytes as they are.
class CopyBytes final : public ByteFilter {
 public:
  bool run(std::string_view& in, bool, std::span<char>& out) override {
    const size_t n = std::min(in.size(), out.size());
    std::memcpy(out.data(), in.data(), n);
    in.remove_prefix(n);
    out = out.subspan(n);
    return in.empty();
  }
};

}  // namespace patchbay
