#include "decode_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Json::Value kConfig = patchbay::fuzz::defaults("json");
  patchbay::fuzz::decode(kConfig, {reinterpret_cast<const char*>(data), size}, 1 + size % 61);
  return 0;
}
