// Secrets by name, from the environment's providers, at the moment of use.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

struct SecretProvider {
  enum class Kind { kVariable, kFile, kCredentials, kCommand };
  Kind kind;
  std::string prefix;  // kVariable: PATCHBAY_SECRET_ and NAME in capitals, - and . as _
  std::filesystem::path
      dir;  // kFile: one file per secret; kCredentials: $CREDENTIALS_DIRECTORY, where it is set
  std::vector<std::string> command = {};  // kCommand: program and arguments; {name} is the secret
  std::chrono::seconds timeout{10};       // kCommand

  std::string text() const;  // what it is, for people
};

// Thread-safe.
class SecretStore {
 public:
  // `on_value` hears every value before anyone uses it: the redactor.
  SecretStore(std::vector<SecretProvider> providers,
              std::function<void(std::string_view)> on_value);

  // The first provider that has it; one trailing newline is dropped. A command that fails or takes
  // too long ends the search: nobody knows whether it has the secret. Throws Error kAuth naming
  // every place looked at where it is missing or empty, kConfig where a file or program cannot be
  // used, kUnavailable where a limit is reached.
  // Messages show `shown` in place of the name: what was typed where a name belongs may be the
  // secret itself.
  std::string resolve(const std::string& name) { return resolve(name, name); }
  std::string resolve(const std::string& name, const std::string& shown);

 private:
  std::vector<SecretProvider> providers_;
  std::function<void(std::string_view)> on_value_;
  std::mutex mutex_;
  std::map<std::string, std::string> values_;
};

std::vector<SecretProvider> default_secret_providers();

// A name that people give to secrets, rather than the text of one: it begins with a letter or _ and
// has only letters, digits, -, _ and . in it.
bool is_plain_name(const std::string& name);

// What stands for a name that is not shown, and the message for one that is no secret's:
// "to.password takes the name of a secret, not the secret itself; .."
inline constexpr const char* kHiddenName = "<NAME>";
std::string not_a_secret(const std::string& option, const std::string& why);

}  // namespace patchbay::host
