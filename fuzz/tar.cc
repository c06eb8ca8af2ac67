#include "package/tar_reader.h"

#include "patchbay/error.h"

namespace {

// Asks for every other entry's content.
class Visitor final : public patchbay::host::TarVisitor {
 public:
  bool begin(const patchbay::host::TarEntry&) override { return wanted_ = !wanted_; }
  void content(std::string_view) override {}
  void end() override {}

 private:
  bool wanted_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kPiece = 700;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Visitor visitor;
  patchbay::host::TarReader reader(visitor);
  try {
    for (size_t at = 0; at < size; at += kPiece) reader.feed(bytes.substr(at, kPiece));
    reader.finish();
  } catch (const patchbay::Error&) {
    return 0;
  }
  return 0;
}
