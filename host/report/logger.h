// Log lines on stderr, as text or JSON, redacted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "report/redactor.h"
#include "report/repeat_limit.h"

namespace patchbay::host {

enum class LogFormat { kText, kJson };

// Levels are those of abi.h: 1 error .. 5 trace. Thread-safe.
class Logger {
 public:
  Logger(uint32_t level, LogFormat format, const Redactor& redactor);
  ~Logger();  // mentions the repeats that were left out

  bool enabled(uint32_t level) const { return level <= level_; }
  // `node` may be empty. `fields_json` is a JSON object or empty.
  void log(uint32_t level, std::string_view node, std::string_view message,
           std::string_view fields_json = {});
  void set_run(std::string pipeline, std::string run);  // before threads start
  // Called before each line, which waits for it: takes live figures off the terminal. Null =
  // nothing.
  void set_before_line(std::function<void()> before);
  // No line is written while it is held.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }

 private:
  void write(const LogLine& line);
  std::string text_line(const LogLine& line) const;
  std::string json_line(const LogLine& line) const;

  struct Backend;
  const uint32_t level_;
  const LogFormat format_;
  const Redactor& redactor_;
  std::string pipeline_, run_;
  std::mutex mutex_;
  std::function<void()> before_line_;
  RepeatLimit repeats_;
  const std::unique_ptr<Backend> backend_;
};

// 1 to 5 for error, warn, info, debug, trace; 0 for anything else.
uint32_t parse_log_level(std::string_view name);

}  // namespace patchbay::host
