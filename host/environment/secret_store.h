// Secrets by name, from the environment's providers, at the moment of use.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

struct SecretProvider {
  enum class Kind { kVariable, kFile, kCredentials };
  Kind kind;
  std::string prefix;  // kVariable: PATCHBAY_SECRET_ and NAME in capitals, - and . as _
  std::filesystem::path
      dir;  // kFile: one file per secret; kCredentials: $CREDENTIALS_DIRECTORY, where it is set
};

// Thread-safe.
class SecretStore {
 public:
  // `on_value` hears every value before anyone uses it: the redactor.
  SecretStore(std::vector<SecretProvider> providers,
              std::function<void(std::string_view)> on_value);

  // The first provider that has it; one trailing newline is dropped. Throws Error kAuth naming
  // every place looked at where it is missing or empty.
  std::string resolve(const std::string& name);

 private:
  std::vector<SecretProvider> providers_;
  std::function<void(std::string_view)> on_value_;
  std::mutex mutex_;
  std::map<std::string, std::string> values_;
};

std::vector<SecretProvider> default_secret_providers();

}  // namespace patchbay::host
