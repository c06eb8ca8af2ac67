// SQLite inside a call of the host: a wait for somebody else's lock has a limit and a name, and a
// cancelled call ends whatever the database is doing.
#pragma once

#include <chrono>
#include <string>

#include "patchbay/call.h"
#include "patchbay/sqlite.h"

namespace patchbay {

struct LockPatience {
  // After so long the pipeline's `retry` is asked whether to try again.
  std::chrono::milliseconds per_attempt{10'000};
  // After so long a warning says what is waited for.
  std::chrono::milliseconds before_word{5'000};
};

// Made at the beginning of a call, for as long as the call. One for each database and call.
class CallWait final : public DatabaseWait {
 public:
  CallWait(Database& database, Call& call, Context& context, LockPatience patience = {});
  ~CallWait() override;
  CallWait(const CallWait&) = delete;
  CallWait& operator=(const CallWait&) = delete;

  bool wait(int tries) override;
  bool stopped() override;

 private:
  Database& database_;
  Call& call_;
  Context& context_;
  const LockPatience patience_;
  std::chrono::steady_clock::time_point began_{}, until_{};
  uint32_t attempts_ = 0;
  bool said_ = false;
};

// Which processes hold locks on the database, for people: "process 17", "this process itself";
// empty where the system does not tell.
std::string holders_of(const std::string& file);

}  // namespace patchbay
