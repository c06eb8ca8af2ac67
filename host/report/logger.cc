#include "report/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "report/json_text.h"

namespace patchbay::host {
namespace {

constexpr std::string_view kLevels[] = {"", "error", "warn", "info", "debug", "trace"};

spdlog::level::level_enum spdlog_level(uint32_t level) {
  constexpr spdlog::level::level_enum kMap[] = {spdlog::level::off,   spdlog::level::err,
                                                spdlog::level::warn,  spdlog::level::info,
                                                spdlog::level::debug, spdlog::level::trace};
  return kMap[level];
}

}  // namespace

struct Logger::Backend {
  spdlog::logger logger{"patchbay", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Logger::Logger(uint32_t level, LogFormat format, const Redactor& redactor)
    : level_(level), format_(format), redactor_(redactor) {}

Logger::~Logger() = default;

void Logger::set_run(std::string pipeline, std::string run) {
  pipeline_ = std::move(pipeline);
  run_ = std::move(run);
  backend_ = std::make_unique<Backend>();
  backend_->logger.set_level(spdlog_level(level_));
  // The time goes into the JSON object by the pattern, so that it is the time of the call in both
  // formats.
  backend_->logger.set_pattern(format_ == LogFormat::kJson
                                   ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}"
                                   : "%Y-%m-%dT%H:%M:%SZ %v",
                               spdlog::pattern_time_type::utc);
}

void Logger::log(uint32_t level, std::string_view node, std::string_view message,
                 std::string_view fields_json) {
  if (!enabled(level) || level == 0 || level > 5 || !backend_) return;
  std::string line;
  if (format_ == LogFormat::kText) {
    line = std::string(kLevels[level]) + " " + (node.empty() ? "" : std::string(node) + ": ") +
           std::string(message);
    if (!fields_json.empty()) line += " " + std::string(fields_json);
  } else {
    Json::Value json;
    json["level"] = std::string(kLevels[level]);
    json["pipeline"] = pipeline_;
    json["run"] = run_;
    if (!node.empty()) json["node"] = std::string(node);
    json["message"] = std::string(message);
    line = compact_json(json);
    line = line.substr(1, line.size() - 2);
    if (!fields_json.empty()) line += ",\"fields\":" + std::string(fields_json);
  }
  backend_->logger.log(spdlog_level(level), "{}", redactor_.redact(line));
}

uint32_t parse_log_level(std::string_view name) {
  for (uint32_t i = 1; i < std::size(kLevels); ++i) {
    if (kLevels[i] == name) return i;
  }
  return 0;
}

}  // namespace patchbay::host
