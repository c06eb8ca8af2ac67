// Log lines on stderr, as text or JSON, redacted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "report/redactor.h"

namespace patchbay::host {

enum class LogFormat { kText, kJson };

// Levels are those of abi.h: 1 error .. 5 trace. Thread-safe.
class Logger {
 public:
  Logger(uint32_t level, LogFormat format, const Redactor& redactor);
  ~Logger();

  bool enabled(uint32_t level) const { return level <= level_; }
  // `node` may be empty. `fields_json` is a JSON object or empty.
  void log(uint32_t level, std::string_view node, std::string_view message,
           std::string_view fields_json = {});
  void set_run(std::string pipeline, std::string run);  // before threads start

 private:
  struct Backend;
  const uint32_t level_;
  const LogFormat format_;
  const Redactor& redactor_;
  std::string pipeline_, run_;
  std::unique_ptr<Backend> backend_;
};

// 1 to 5 for error, warn, info, debug, trace; 0 for anything else.
uint32_t parse_log_level(std::string_view name);

}  // namespace patchbay::host
