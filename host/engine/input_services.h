// The host's side of the extension patchbay.inputs/1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "patchbay/inputs.h"

namespace patchbay::host {

// What services offer, beside NodeServices, where a node has inputs.
class InputServices {
 public:
  virtual ~InputServices() = default;
  // The place, among these inputs, of one that has an event. Nothing once the lane is closed.
  virtual std::optional<size_t> ready(std::span<const uint32_t> inputs) = 0;
  virtual const std::string& from(size_t input) const = 0;  // throws where there is no such input
};

const bay_inputs_v1* inputs_table();

}  // namespace patchbay::host
