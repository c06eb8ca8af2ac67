#include "decode_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Json::Value kConfig = patchbay::fuzz::defaults("parquet");
  patchbay::fuzz::decode(kConfig, {reinterpret_cast<const char*>(data), size}, 64 << 10);
  return 0;
}
