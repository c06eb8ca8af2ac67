#include "environment/secret_store.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

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
  const auto dir = directory_of(provider);
  return "the file " + (dir.empty() ? "$CREDENTIALS_DIRECTORY/" + name : (dir / name).string());
}

std::optional<std::string> look_in(const SecretProvider& provider, const std::string& name) {
  if (provider.kind == SecretProvider::Kind::kVariable) {
    const char* value = std::getenv(variable_name(provider.prefix, name).c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }
  const auto dir = directory_of(provider);
  if (dir.empty() || name.find('/') != std::string::npos) return std::nullopt;
  std::ifstream in(dir / name, std::ios::binary);
  if (!in) return std::nullopt;
  std::string value((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

}  // namespace

std::vector<SecretProvider> default_secret_providers() {
  return {{SecretProvider::Kind::kVariable, "PATCHBAY_SECRET_", {}},
          {SecretProvider::Kind::kCredentials, "", {}}};
}

SecretStore::SecretStore(std::vector<SecretProvider> providers,
                         std::function<void(std::string_view)> on_value)
    : providers_(std::move(providers)), on_value_(std::move(on_value)) {}

std::string SecretStore::resolve(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = values_.find(name); found != values_.end()) return found->second;
  std::string places;
  for (const auto& provider : providers_) {
    places += (places.empty() ? "" : " or ") + place(provider, name);
    const auto value = look_in(provider, name);
    if (!value) continue;
    if (value->empty())
      throw Error(Code::kAuth, "secret " + name + ": " + place(provider, name) + " is empty");
    on_value_(*value);
    return values_[name] = *value;
  }
  throw Error(Code::kAuth, "secret " + name + ": missing; set " + places);
}

}  // namespace patchbay::host
