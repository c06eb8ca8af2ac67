// Live figures of a run on stderr: redrawn in place on a terminal, a log line now and then
// elsewhere.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/run_context.h"
#include "report/logger.h"

namespace patchbay::host {

enum class ProgressStyle { kNone, kBar, kLog };

class Progress {
 public:
  Progress(ProgressStyle style, const RunContext& run, Logger& logger);
  ~Progress();  // takes the live lines away again
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void loop();
  void draw();
  void write_log();

  const ProgressStyle style_;
  const RunContext& run_;
  Logger& logger_;
  size_t drawn_lines_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace patchbay::host
