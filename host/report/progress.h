// Live figures of a run on stderr: redrawn in place on a terminal, a log line now and then
// elsewhere.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "engine/run_context.h"
#include "report/logger.h"

namespace patchbay::host {

enum class ProgressStyle { kNone, kBar, kLog };

// One node, as it stands.
struct NodeProgress {
  std::string id;
  int64_t rows = 0;
  int64_t bytes = 0;          // 0 = not known: a source alone counts them
  int64_t queued_bytes = 0;   // that wait in front of it
  int64_t expected_rows = 0;  // 0 = not known
};

// "responses   1,200 rows   400 rows/s   1.2 MB/s   queue 35%   8 s left"
std::string progress_line(const NodeProgress& node, double seconds, int64_t queue_bytes);

class Progress {
 public:
  Progress(ProgressStyle style, const RunContext& run, Logger& logger);
  ~Progress();  // takes the live lines away again
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void loop();
  NodeProgress node(size_t i) const;
  void draw();
  void clear();
  void write_log();
  void tell_long_calls();

  const ProgressStyle style_;
  const RunContext& run_;
  Logger& logger_;
  struct LongCall {
    std::chrono::steady_clock::time_point since, next_told;
  };
  std::map<const CallClock*, LongCall> long_calls_;
  size_t drawn_lines_ = 0;  // read and written while the logger is held
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace patchbay::host
