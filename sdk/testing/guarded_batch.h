// Arrays as a careful host hands them out: each release is counted, and spoils what was released.
#pragma once

#include <atomic>
#include <memory>

#include "patchbay/batch.h"

namespace patchbay::test {

struct ReleaseCount {
  std::atomic<int64_t> given{0}, released{0};
};

// The batch with its buffers overwritten when it is released. A second release counts as well.
Batch guard(Batch batch, const std::shared_ptr<ReleaseCount>& count);

}  // namespace patchbay::test
