#include "engine/services.h"

#include <algorithm>

namespace patchbay::host {
namespace {

[[noreturn]] void outside_of_data(const std::string& node, const char* what) {
  throw NodeError(
      node, Code::kInternal,
      std::string(what) + " called outside the flow of data; this is a bug of the plugin", "",
      false);
}

}  // namespace

std::string BasicServices::secret(std::string_view name) {
  return run_.secrets.resolve(std::string(name));
}

RetryLimits CleanupServices::retry() const {
  RetryLimits limits = run_.retry();
  limits.attempts = std::min<uint32_t>(limits.attempts, 3);
  limits.within = std::min<std::chrono::nanoseconds>(limits.within, std::chrono::seconds(10));
  return limits;
}

bay_status BasicServices::input_next(bay_call*, bay_input*, bay_event*) {
  outside_of_data(id(), "input_next");
}
bay_status BasicServices::reject(RejectedRows) { outside_of_data(id(), "reject"); }
int64_t BasicServices::max_rows() { return kMaxBatchRows; }

ChangeDecision BasicServices::schema_change(std::string_view stream, std::string_view path,
                                            std::string_view type) {
  return run_.schema_change(std::string(stream), std::string(path), std::string(type), id());
}

}  // namespace patchbay::host
