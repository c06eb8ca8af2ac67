#include "report/progress.h"

#include <unistd.h>

#include <cstdio>

#include "report/table.h"

namespace patchbay::host {

using std::chrono::steady_clock;

Progress::Progress(ProgressStyle style, const RunContext& run, Logger& logger)
    : style_(style), run_(run), logger_(logger), start_(steady_clock::now()) {
  if (style_ != ProgressStyle::kNone) thread_ = std::thread([this] { loop(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
  if (drawn_lines_ > 0) {
    const std::string clear = "\033[" + std::to_string(drawn_lines_) + "A\033[J";
    [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, clear.data(), clear.size());
  }
}

void Progress::loop() {
  const auto period =
      style_ == ProgressStyle::kBar ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, period, [&] { return stop_; })) {
    if (style_ == ProgressStyle::kBar) {
      draw();
    } else {
      write_log();
    }
  }
}

void Progress::draw() {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  std::string text = drawn_lines_ > 0 ? "\033[" + std::to_string(drawn_lines_) + "A\033[J" : "";
  const size_t width = std::max<size_t>(Terminal::of(STDERR_FILENO).width, 40);
  for (size_t i = 0; i < run_.pipeline.nodes.size(); ++i) {
    const NodeFigures& figures = run_.figures[i];
    const int64_t rows = std::max(figures.rows_in.load(), figures.rows_out.load());
    char line[256];
    std::snprintf(line, sizeof line, "%-20s %14s rows %12.0f rows/s",
                  run_.pipeline.nodes[i].id.c_str(), human_count(rows).c_str(),
                  static_cast<double>(rows) / seconds);
    std::string whole = line;
    if (figures.bytes > 0) whole += "  " + human_bytes(figures.bytes);
    text += cut_to_width(whole, width - 1) + "\n";
  }
  drawn_lines_ = run_.pipeline.nodes.size();
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
}

void Progress::write_log() {
  for (size_t i = 0; i < run_.pipeline.nodes.size(); ++i) {
    const NodeFigures& figures = run_.figures[i];
    const int64_t rows = std::max(figures.rows_in.load(), figures.rows_out.load());
    logger_.log(BAY_LOG_INFO, run_.pipeline.nodes[i].id, human_count(rows) + " rows so far");
  }
}

}  // namespace patchbay::host
