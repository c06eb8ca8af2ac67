// The one exception of the SDK. The host acts on its code: see the BAY_E_ constants in abi.h.
#pragma once

#include <stdexcept>
#include <string>

#include "patchbay/abi.h"

namespace patchbay {

enum class Code : bay_status {
  kConfig = BAY_E_CONFIG,            // the user must edit the configuration
  kAuth = BAY_E_AUTH,                // credentials refused
  kUnavailable = BAY_E_UNAVAILABLE,  // transient; the lane is retried
  kNotFound = BAY_E_NOT_FOUND,       // the named thing is not there
  kData = BAY_E_DATA,                // bytes break the format or the contract
  kRemote = BAY_E_REMOTE,            // refused for good
  kCancelled = BAY_E_CANCELLED,
  kInternal = BAY_E_INTERNAL,  // a bug
  kSchema = BAY_E_SCHEMA,      // the schema changed and the pipeline says `fail`
};

// `message` is "what: why", subject first (option, path, row, URL), lower case, no full stop, no
// secret and no value of a record. `detail_json` is a JSON object for machines, or empty.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::string detail_json = {})
      : std::runtime_error(message), code_(code), detail_json_(std::move(detail_json)) {}

  Code code() const { return code_; }
  const std::string& detail_json() const { return detail_json_; }

 private:
  Code code_;
  std::string detail_json_;
};

// A function of the host failed and left its own message in the call; the boundary passes only the
// status on.
class HostRefusal : public Error {
 public:
  HostRefusal(bay_status status, const std::string& what)
      : Error(static_cast<Code>(status), what + ": refused by the host") {}
};

}  // namespace patchbay
