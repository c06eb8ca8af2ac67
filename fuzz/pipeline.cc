#include "manifests_folder.h"
#include "patchbay/error.h"
#include "pipeline/fault.h"
#include "pipeline/parse_pipeline.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchbay::host;
  static const patchbay::fuzz::ManifestsFolder kFolder;
  static const Catalog kCatalog({{kFolder.path()}, {}});
  static const Environment kEnvironment = [] {
    Environment environment;
    environment.secrets = default_secret_providers();
    environment.name = "local";
    environment.local = true;
    return environment;
  }();
  try {
    parse_pipeline_text("p.yaml", {reinterpret_cast<const char*>(data), size}, kEnvironment,
                        kCatalog, {});
  } catch (const Faults&) {
    return 0;
  } catch (const patchbay::Error&) {
    return 0;
  }
  return 0;
}
