// A configured value and where it comes from, for people.
#pragma once

#include <string>

namespace patchbay::host {

struct NamedValue {
  std::string name;   // "variables.project"
  std::string value;  // as JSON where it is no text
  std::string from;   // "/etc/patchbay/environments/prod/environment.yaml:3", "default"
};

}  // namespace patchbay::host
