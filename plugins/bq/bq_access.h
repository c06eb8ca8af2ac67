// How both components reach BigQuery.
#pragma once

#include <memory>
#include <optional>

#include "patchbay/bq_client.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct BqAccess {
  BqPlace place;
  HttpOptions http;
  std::optional<Secret> credentials;  // none = Google's search order
};

BqAccess parse_access(const Config& config);

}  // namespace patchbay
