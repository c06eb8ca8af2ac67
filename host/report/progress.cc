#include "report/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "report/table.h"

namespace patchbay::host {

using std::chrono::steady_clock;

namespace {

void to_stderr(const std::string& text) {
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
}

std::string left_padded(const std::string& text, size_t width) {
  return std::string(width - std::min(width, display_width(text)), ' ') + text;
}

}  // namespace

std::string progress_line(const NodeProgress& node, double seconds, int64_t queue_bytes) {
  const double span = std::max(seconds, 0.001);
  const double rate = static_cast<double>(node.rows) / span;
  std::string line = cut_to_width(one_line(node.id), 20);
  line += std::string(20 - display_width(line), ' ');
  line += left_padded(human_count(node.rows), 14) + " rows";
  line += left_padded(human_count(std::llround(rate)), 12) + " rows/s";
  if (node.bytes > 0) {
    const auto per_second = std::llround(static_cast<double>(node.bytes) / span);
    line += left_padded(human_bytes(per_second), 11) + "/s";
  }
  if (node.queued_bytes > 0 && queue_bytes > 0) {
    line += "  queue " +
            std::to_string(std::min<int64_t>(100, node.queued_bytes * 100 / queue_bytes)) + "%";
  }
  if (node.expected_rows > node.rows && rate > 0) {
    const double left = static_cast<double>(node.expected_rows - node.rows) / rate;
    line += "  " + human_count(std::llround(left)) + " s left";
  }
  return line;
}

Progress::Progress(ProgressStyle style, const RunContext& run, Logger& logger)
    : style_(style), run_(run), logger_(logger), start_(steady_clock::now()) {
  if (style_ == ProgressStyle::kNone) return;
  if (style_ == ProgressStyle::kBar) logger_.set_before_line([this] { clear(); });
  thread_ = std::thread([this] { loop(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
  logger_.set_before_line(nullptr);
  clear();
}

void Progress::loop() {
  const bool bar = style_ == ProgressStyle::kBar;
  const auto period = bar ? std::chrono::milliseconds(200) : std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  for (int n = 1; !stop_changed_.wait_for(lock, period, [&] { return stop_; }); ++n) {
    tell_long_calls();
    if (bar) {
      draw();
    } else if (n % 10 == 0) {
      write_log();
    }
  }
}

// After 5 s, 10 s, 20 s, ..: a plugin knows better what it waits for, but may not say.
void Progress::tell_long_calls() {
  constexpr std::chrono::seconds kLong{5};
  const auto now = steady_clock::now();
  std::map<const CallClock*, LongCall> still;
  for (const auto& [clock, node, call] : run_.calls_at_work()) {
    const auto known = long_calls_.find(clock);
    const bool same = known != long_calls_.end() && known->second.since == call.since;
    LongCall& one = still[clock] = same ? known->second : LongCall{call.since, call.since + kLong};
    if (now < one.next_told) continue;
    const auto taken = now - call.since;
    one.next_told = now + taken;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(taken).count();
    logger_.log(
        BAY_LOG_INFO, run_.pipeline.nodes[node].id,
        std::string("waiting for the plugin: ") + call.name + " has taken " +
            std::to_string(seconds) + " s so far" +
            (call.failed_tries == 0 ? ""
                                    : ", and has failed " + std::to_string(call.failed_tries) +
                                          " times; the reason follows if retry: gives up"));
  }
  long_calls_ = std::move(still);
}

NodeProgress Progress::node(size_t i) const {
  const NodeFigures& figures = run_.figures[i];
  NodeProgress node{run_.pipeline.nodes[i].id,
                    std::max(figures.rows_in.load(), figures.rows_out.load()), figures.bytes,
                    figures.queued_bytes};
  if (run_.options.limit && run_.pipeline.nodes[i].kind == Kind::kSource) {
    for (const auto& [name, stream] : run_.outcomes()) {
      if (stream.source == node.id) node.expected_rows += *run_.options.limit;
    }
  }
  return node;
}

void Progress::draw() {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  const size_t width = std::max<size_t>(Terminal::of(STDERR_FILENO).width, 40);
  std::string lines;
  for (size_t i = 0; i < run_.pipeline.nodes.size(); ++i) {
    lines +=
        cut_to_width(progress_line(node(i), seconds, run_.options.edge_bytes), width - 1) + "\n";
  }
  const auto held = logger_.hold();
  clear();
  drawn_lines_ = run_.pipeline.nodes.size();
  to_stderr(lines);
}

void Progress::clear() {
  if (drawn_lines_ == 0) return;
  to_stderr("\033[" + std::to_string(drawn_lines_) + "A\033[J");
  drawn_lines_ = 0;
}

void Progress::write_log() {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  for (size_t i = 0; i < run_.pipeline.nodes.size(); ++i) {
    const NodeProgress now = node(i);
    const auto rate = std::llround(static_cast<double>(now.rows) / seconds);
    logger_.log(BAY_LOG_INFO, now.id,
                human_count(now.rows) + " rows so far, " + human_count(rate) + " a second");
  }
}

}  // namespace patchbay::host
