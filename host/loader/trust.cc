#include "loader/trust.h"

#include "files/local_files.h"

namespace patchbay::host {

void check_trusted(const std::filesystem::path& file, Trust trust, UsedAs use) {
  const auto fault = find_distrust(whole_path(file), trust, use);
  if (!fault) return;
  throw Error(Code::kConfig, fault->why + ", so " + file.filename().string() + " is not " +
                                 (use == UsedAs::kListedCode ? "loaded" : "used") + "; run `" +
                                 fault->command + "`");
}

}  // namespace patchbay::host
