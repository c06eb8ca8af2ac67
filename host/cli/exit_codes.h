// Exit codes: documented and stable. The one table.
#pragma once

#include <array>
#include <string_view>

#include "patchbay/error.h"

namespace patchbay::host {

enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 2,
  kExitConfig = 3,
  kExitAuth = 4,
  kExitTemporary = 5,
  kExitRejects = 6,
  kExitRemote = 7,
  kExitPartial = 8,
  kExitSchema = 9,
  kExitBug = 70,
  kExitAlreadyRunning = 75,
  kExitInterrupted = 130,
  kExitTerminated = 143,
};

struct ExitCodeText {
  int code;
  std::string_view text;
};

inline constexpr std::array kExitCodes{
    ExitCodeText{kExitOk, "ok"},
    ExitCodeText{kExitUsage,
                 "usage: an unknown command, option, --set variable, --only stream or id"},
    ExitCodeText{kExitConfig, "configuration, pipeline or manifest is wrong, or is not there"},
    ExitCodeText{kExitAuth, "credentials: a secret is missing or empty, or was refused"},
    ExitCodeText{kExitTemporary, "temporary: try again"},
    ExitCodeText{kExitRejects, "more rows were refused than the pipeline allows"},
    ExitCodeText{kExitRemote,
                 "the remote refuses for good, lacks what is named, or sends what can't be used"},
    ExitCodeText{kExitPartial, "some lanes failed, the others are committed"},
    ExitCodeText{kExitSchema, "the schema changed and the pipeline says fail"},
    ExitCodeText{kExitBug, "a bug, or a plugin crashed"},
    ExitCodeText{kExitAlreadyRunning, "this pipeline already runs"},
    ExitCodeText{kExitInterrupted, "interrupted (SIGINT), or its terminal was closed (SIGHUP)"},
    ExitCodeText{kExitTerminated, "terminated (SIGTERM)"},
};

constexpr int exit_code_of(Code code) {
  switch (code) {
    case Code::kConfig:
      return kExitConfig;
    case Code::kAuth:
      return kExitAuth;
    case Code::kUnavailable:
      return kExitTemporary;
    case Code::kNotFound:
    case Code::kData:
    case Code::kRemote:
      return kExitRemote;
    case Code::kCancelled:
      return kExitInterrupted;
    case Code::kSchema:
      return kExitSchema;
    case Code::kInternal:
      break;
  }
  return kExitBug;
}

// Names of failure classes in reports.
constexpr std::string_view class_name(Code code) {
  switch (code) {
    case Code::kConfig:
      return "config";
    case Code::kAuth:
      return "auth";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kNotFound:
      return "not_found";
    case Code::kData:
      return "data";
    case Code::kRemote:
      return "remote";
    case Code::kCancelled:
      return "cancelled";
    case Code::kSchema:
      return "schema";
    case Code::kInternal:
      break;
  }
  return "internal";
}

}  // namespace patchbay::host
