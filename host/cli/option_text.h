// How an option's schema is told to people: its type, its default, what it means.
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "manifest/manifest.h"

namespace patchbay::host {

struct OptionText {
  std::string name, type, fallback, meaning;  // fallback: "required", the default as JSON, or empty
};

std::vector<OptionText> options_of(const ComponentManifest& component);

}  // namespace patchbay::host
