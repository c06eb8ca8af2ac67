#include "report/ulid.h"

#include "patchbay/time.h"
#include "sync/sync.h"

namespace patchbay::host {

std::string make_ulid(std::chrono::system_clock::time_point at) {
  constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  using std::chrono::duration_cast, std::chrono::milliseconds;
  auto ms = static_cast<uint64_t>(duration_cast<milliseconds>(at.time_since_epoch()).count());
  std::string id(26, '0');
  for (size_t i = 10; i-- > 0; ms >>= 5) id[i] = kAlphabet[ms & 31];
  for (size_t i = 10; i < id.size(); ++i)
    id[i] = kAlphabet[static_cast<size_t>(sync::uniform_random() * 32)];
  return id;
}

std::string iso_time(std::chrono::system_clock::time_point at) {
  using std::chrono::duration_cast, std::chrono::seconds;
  return format_timestamp(duration_cast<seconds>(at.time_since_epoch()).count() * 1'000'000, true);
}

}  // namespace patchbay::host
