#include "manifest/manifest.h"

#include "manifests_folder.h"
#include "patchbay/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const patchbay::fuzz::ManifestsFolder kFolder;
  const auto file = kFolder.write("csv.json", {reinterpret_cast<const char*>(data), size});
  try {
    patchbay::host::read_manifest(file, {});
  } catch (const patchbay::Error&) {
    return 0;
  }
  return 0;
}
