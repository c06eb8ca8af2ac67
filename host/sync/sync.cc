#include "sync/sync.h"

#include <random>

namespace patchbay::host::sync {

double uniform_random() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace patchbay::host::sync
