// A component's configuration: already validated against its manifest and filled with the
// manifest's defaults.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/error.h"

namespace patchbay {

// A secret's name. Its value comes from Call::secret, at the moment of use, and is not kept.
struct Secret {
  std::string name;
};

class Config {
 public:
  explicit Config(Json::Value root) : root_(std::move(root)) {}
  static Config parse(std::string_view json);

  bool has(std::string_view option) const;  // present and not null
  // Throws kConfig ("page_size: must be an integer") where the option is missing or of another
  // type: possible only where the manifest's schema lets it through.
  template <class T>
  T get(std::string_view option)
      const;  // std::string, bool, int64_t, double, std::vector<std::string>, Secret
  template <class T>
  std::optional<T> find(std::string_view option) const {
    return has(option) ? std::optional<T>(get<T>(option)) : std::nullopt;
  }
  template <class T>
  T get_or(std::string_view option, T fallback) const {
    return has(option) ? get<T>(option) : std::move(fallback);
  }
  const Json::Value& at(std::string_view option) const;  // the raw value; null where missing
  const Json::Value& root() const { return root_; }

 private:
  Json::Value root_;
};

// For a choice that the configuration makes wrong together: "keys: needed with write: upsert".
[[noreturn]] void config_error(std::string_view option, std::string_view why);

}  // namespace patchbay
