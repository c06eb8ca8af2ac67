#include "pipeline/fault.h"

namespace patchbay::host {

std::string Fault::text() const {
  if (position.line == 0) return file + ": " + message;
  return file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) + ": " +
         message;
}

namespace {

std::string join(const std::vector<Fault>& faults) {
  std::string text;
  for (const auto& fault : faults) text += (text.empty() ? "" : "\n") + fault.text();
  return text;
}

}  // namespace

Faults::Faults(std::vector<Fault> faults)
    : std::runtime_error(join(faults)), faults_(std::move(faults)) {}

}  // namespace patchbay::host
