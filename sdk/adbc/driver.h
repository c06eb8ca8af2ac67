// The error slot of one call into a driver.
#pragma once

#include "adbc_c.h"
#include "patchbay/adbc.h"

namespace patchbay::adbc {

class CallError {
 public:
  CallError();
  ~CallError();
  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;

  AdbcError* raw() { return &error_; }
  void check(AdbcStatusCode status, bool executing = false) const;

 private:
  AdbcError error_;
};

}  // namespace patchbay::adbc
