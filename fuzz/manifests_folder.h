// A folder of its own for one fuzzer, removed with it; with the project's manifests, and a library
// of no bytes beside each.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace patchbay::fuzz {

class ManifestsFolder {
 public:
  ManifestsFolder() {
    std::filesystem::create_directories(path_);
    for (const auto& entry : std::filesystem::directory_iterator(PATCHBAY_MANIFESTS)) {
      std::filesystem::copy(entry.path(), path_ / entry.path().filename());
      write(entry.path().stem().string() + ".so", "");
    }
  }
  ~ManifestsFolder() { std::filesystem::remove_all(path_); }
  ManifestsFolder(const ManifestsFolder&) = delete;
  ManifestsFolder& operator=(const ManifestsFolder&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("patchbay-fuzz-" + std::to_string(getpid()));
};

}  // namespace patchbay::fuzz
