#include "patchbay/inputs.h"

namespace patchbay {

size_t Inputs::wait_ready(Call& call, const std::vector<uint32_t>& inputs) const {
  if (!table_) return 0;
  const int32_t place =
      table_->ready(call.raw(), inputs.data(), static_cast<uint32_t>(inputs.size()));
  if (place < 0) throw HostRefusal(place, "waiting for inputs");
  return static_cast<size_t>(place);
}

std::string Inputs::from(Call& call, size_t input) const {
  if (!table_) return "";
  const bay_str name = table_->from(call.raw(), static_cast<uint32_t>(input));
  return {name.data, name.size};
}

}  // namespace patchbay
