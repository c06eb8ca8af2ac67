#include "environment/secret_store.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "environment/secret_command.h"
#include "files/local_files.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

// A name is part of a path, so it must not lead out of the folder.
void check_name(const std::string& name, const std::string& shown) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (plain && !name.empty() && name[0] != '.') return;
  throw Error(Code::kAuth, "secret " + shown + ": a name has only letters, digits, -, _ and .");
}

std::string variable_name(const std::string& prefix, const std::string& name) {
  std::string out = prefix;
  for (const char c : name) {
    out +=
        c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

std::filesystem::path directory_of(const SecretProvider& provider) {
  if (provider.kind == SecretProvider::Kind::kFile) return provider.dir;
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  return credentials ? credentials : "";
}

std::string place(const SecretProvider& provider, const std::string& name) {
  if (provider.kind == SecretProvider::Kind::kVariable) {
    return "the environment variable " + variable_name(provider.prefix, name);
  }
  if (provider.kind == SecretProvider::Kind::kCommand) return "the command " + provider.command[0];
  const auto dir = directory_of(provider);
  return "the file " + (dir.empty() ? "$CREDENTIALS_DIRECTORY/" + name : (dir / name).string());
}

// None where the file is not there; one that is there but can't be read is no reason to look
// further.
std::optional<std::string> read_secret_file(const std::filesystem::path& dir,
                                            const std::string& name, const std::string& shown) {
  constexpr size_t kLargest = 1 << 20;
  try {
    if (!is_there(dir / name)) return std::nullopt;
    std::string value = read_regular_file(dir / name, kLargest);
    if (value.ends_with('\n')) value.pop_back();
    return value;
  } catch (const Error& error) {
    const std::string why = std::string(error.what()).substr((dir / name).string().size());
    throw Error(error.code(), "secret " + shown + ": the file " + (dir / shown).string() + why);
  }
}

std::optional<std::string> look_in(const SecretProvider& provider, const std::string& name,
                                   const std::string& shown) {
  if (provider.kind == SecretProvider::Kind::kVariable) {
    const char* value = std::getenv(variable_name(provider.prefix, name).c_str());
    if (!value) return std::nullopt;
    std::string text = value;
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }
  if (provider.kind == SecretProvider::Kind::kCommand)
    return run_secret_command(provider.command, name, shown, provider.timeout);
  const auto dir = directory_of(provider);
  if (dir.empty()) return std::nullopt;
  return read_secret_file(dir, name, shown);
}

}  // namespace

std::vector<SecretProvider> default_secret_providers() {
  return {{SecretProvider::Kind::kVariable, "PATCHBAY_SECRET_", {}},
          {SecretProvider::Kind::kCredentials, "", {}}};
}

bool is_plain_name(const std::string& name) {
  const auto letter = [](unsigned char c) { return (c < 0x80 && std::isalpha(c)) || c == '_'; };
  return !name.empty() && letter(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [&](unsigned char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

std::string not_a_secret(const std::string& option, const std::string& why) {
  return option + " takes the name of a secret, not the secret itself; " + why;
}

SecretStore::SecretStore(std::vector<SecretProvider> providers,
                         std::function<void(std::string_view)> on_value)
    : providers_(std::move(providers)), on_value_(std::move(on_value)) {}

std::string SecretStore::resolve(const std::string& name, const std::string& shown) {
  const std::lock_guard lock(mutex_);
  if (const auto found = values_.find(name); found != values_.end()) return found->second;
  check_name(name, shown);
  std::string places;
  for (const auto& provider : providers_) {
    places += (places.empty() ? "" : " or ") + place(provider, shown);
    const auto value = look_in(provider, name, shown);
    if (!value) continue;
    if (value->empty())
      throw Error(Code::kAuth, "secret " + shown + ": " + place(provider, shown) + " is empty");
    on_value_(*value);
    return values_[name] = *value;
  }
  throw Error(Code::kAuth, "secret " + shown + ": missing; set " + places);
}

}  // namespace patchbay::host
