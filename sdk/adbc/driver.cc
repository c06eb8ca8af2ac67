#include "driver.h"

#include <dlfcn.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "patchbay/posix_error.h"
#include "patchbay/trust.h"

namespace patchbay::adbc {

CallError::CallError() : error_{} { error_.vendor_code = ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA; }

CallError::~CallError() {
  if (error_.release) error_.release(&error_);
}

void CallError::check(AdbcStatusCode status, bool executing) const {
  if (status == ADBC_STATUS_OK) return;
  throw Failure(
      error_.message ? error_.message : "the driver failed with status " + std::to_string(status),
      executing);
}

std::shared_ptr<const AdbcDriver> load_driver(const std::string& path, const std::string& entry) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const AdbcDriver>> loaded;
  const std::lock_guard lock(mutex);
  auto& driver = loaded[path + "\n" + entry];
  if (driver) return driver;
  if (path.find('/') != std::string::npos) {
    if (const auto fault = find_distrust(path, Trust::kRootAndOwn, UsedAs::kListedCode))
      throw Error(Code::kConfig,
                  fault->why + ", so it is not loaded; run `" + fault->command + "`");
  }
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) throw load_error(path, dlerror());
  const auto init = reinterpret_cast<AdbcDriverInitFunc>(dlsym(library, entry.c_str()));
  if (!init) throw Error(Code::kConfig, path + ": is no ADBC driver: it lacks " + entry);
  auto made = std::make_shared<AdbcDriver>();
  CallError error;
  error.check(init(ADBC_VERSION_1_1_0, made.get(), error.raw()));
  driver = std::move(made);
  return driver;
}

}  // namespace patchbay::adbc
