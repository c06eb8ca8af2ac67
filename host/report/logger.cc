#include "report/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "patchbay/error.h"
#include "report/json_text.h"
#include "report/printed.h"

namespace patchbay::host {
namespace {

constexpr std::string_view kLevels[] = {"", "error", "warn", "info", "debug", "trace"};

spdlog::level::level_enum spdlog_level(uint32_t level) {
  constexpr spdlog::level::level_enum kMap[] = {spdlog::level::off,   spdlog::level::err,
                                                spdlog::level::warn,  spdlog::level::info,
                                                spdlog::level::debug, spdlog::level::trace};
  return kMap[level];
}

// A plugin's fields may be no JSON: then they are a text, and the line stays JSON.
Json::Value parse_fields(const std::string& text) {
  try {
    return parse_json_text(text);
  } catch (const Error&) {
    return text;
  }
}

}  // namespace

struct Logger::Backend {
  spdlog::logger logger{"patchbay", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Logger::Logger(uint32_t level, LogFormat format, const Redactor& redactor)
    : level_(level), format_(format), redactor_(redactor), backend_(std::make_unique<Backend>()) {
  backend_->logger.set_level(spdlog_level(level_));
  // The time goes into the JSON object by the pattern, so that it is the time of the call in both
  // formats.
  backend_->logger.set_pattern(format_ == LogFormat::kJson
                                   ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}"
                                   : "%Y-%m-%dT%H:%M:%SZ %v",
                               spdlog::pattern_time_type::utc);
}

Logger::~Logger() {
  for (auto& [line, count] : repeats_.drain()) {
    line.message += " (" + std::to_string(count) + " more like this)";
    write(line);
  }
}

void Logger::set_run(std::string pipeline, std::string run) {
  pipeline_ = std::move(pipeline);
  run_ = std::move(run);
}

void Logger::set_before_line(std::function<void()> before) {
  const std::lock_guard lock(mutex_);
  before_line_ = std::move(before);
}

void Logger::log(uint32_t level, std::string_view node, std::string_view message,
                 std::string_view fields_json) {
  if (!enabled(level) || level == 0 || level >= std::size(kLevels)) return;
  LogLine line{level, std::string(node), std::string(message), std::string(fields_json)};
  const std::lock_guard lock(mutex_);
  const auto [wanted, left_out] = repeats_.judge(line, RepeatLimit::Clock::now());
  if (!wanted) return;
  if (left_out > 0) line.message += " (" + std::to_string(left_out) + " more like this before)";
  write(line);
}

void Logger::write(const LogLine& line) {
  if (before_line_) before_line_();
  backend_->logger.log(spdlog_level(line.level), "{}",
                       format_ == LogFormat::kText ? text_line(line) : json_line(line));
}

std::string Logger::text_line(const LogLine& line) const {
  std::string text = std::string(kLevels[line.level]) + " ";
  if (!line.node.empty()) text += line.node + ": ";
  text += line.message;
  if (!line.fields_json.empty()) text += " " + line.fields_json;
  return redactor_.redact(one_line(text));
}

std::string Logger::json_line(const LogLine& line) const {
  Json::Value json;
  if (!run_.empty()) {
    json["pipeline"] = pipeline_;
    json["run"] = run_;
  }
  if (!line.node.empty()) json["node"] = line.node;
  json["message"] = line.message;
  if (!line.fields_json.empty()) json["fields"] = parse_fields(line.fields_json);
  json = redactor_.redact_json(json);
  json["level"] = std::string(kLevels[line.level]);
  const std::string object = safe_json(compact_json(json));
  return object.substr(1, object.size() - 2);
}

uint32_t parse_log_level(std::string_view name) {
  for (uint32_t i = 1; i < std::size(kLevels); ++i) {
    if (kLevels[i] == name) return i;
  }
  return 0;
}

}  // namespace patchbay::host
