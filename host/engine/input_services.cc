#include "engine/input_services.h"

#include "engine/call.h"

namespace patchbay::host {
namespace {

InputServices* inputs_of(bay_call* call) { return dynamic_cast<InputServices*>(&call->services); }

int32_t refuse(bay_call* call, bay_status status, const char* message) {
  call->message = message;
  return call->status = status;
}

int32_t ready(bay_call* call, const uint32_t* inputs, uint32_t n) {
  try {
    InputServices* const services = inputs_of(call);
    if (!services || n == 0) {
      return refuse(call, BAY_E_INTERNAL,
                    "inputs are waited for where there are none; this is a bug of the plugin");
    }
    const auto place = services->ready({inputs, n});
    return place ? static_cast<int32_t>(*place) : refuse(call, BAY_E_CANCELLED, "cancelled");
  } catch (const std::exception& error) {
    return refuse(call, BAY_E_INTERNAL, error.what());
  }
}

bay_str from(bay_call* call, uint32_t input) {
  try {
    const InputServices* const services = inputs_of(call);
    if (!services) return {};
    const std::string& name = services->from(input);
    return {name.data(), name.size()};
  } catch (const std::exception&) {
    return {};  // no such input: it comes from nowhere
  }
}

}  // namespace

const bay_inputs_v1* inputs_table() {
  static const bay_inputs_v1 table{sizeof(bay_inputs_v1), 0, ready, from};
  return &table;
}

}  // namespace patchbay::host
