#include "pipeline/variables.h"

#include <date/tz.h>

#include <algorithm>
#include <optional>

#include "patchbay/error.h"
#include "patchbay/suggest.h"

namespace patchbay::host {

std::string format_in_zone(const RunClock& clock, const std::string& format) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(clock.started);
  // Without the time zone database, which takes milliseconds to open and may not be installed.
  if (clock.timezone == "UTC") return date::format(format, seconds);
  try {
    const auto* zone = date::locate_zone(clock.timezone);
    return date::format(format, date::make_zoned(zone, seconds));
  } catch (const std::runtime_error&) {
    throw Error(Code::kConfig, "timezone: " + clock.timezone +
                                   " is no IANA time zone; write one like Europe/Berlin");
  }
}

namespace {

std::optional<Json::Value> built_in(const std::string& name, const RunClock& clock) {
  const size_t colon = name.find(':');
  const std::string base = name.substr(0, colon);
  if (clock.literal && (name == "run.id" || base == "run.date" || base == "run.time"))
    return "${" + name + "}";
  if (name == "run.id") return clock.run_id;
  if (base != "run.date" && base != "run.time") return std::nullopt;
  if (colon != std::string::npos) return format_in_zone(clock, name.substr(colon + 1));
  return format_in_zone(clock, base == "run.date" ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S");
}

class Replacer {
 public:
  Replacer(Document& document, const Variables& variables, const RunClock& clock,
           std::vector<Fault>& faults)
      : document_(document), variables_(variables), clock_(clock), faults_(faults) {}

  void replace(const std::string& pointer, Json::Value& value) {
    if (value.isString()) value = replace_text(pointer, value.asString());
    if (value.isArray()) {
      for (Json::ArrayIndex i = 0; i < value.size(); ++i)
        replace(pointer + "/" + std::to_string(i), value[i]);
    }
    if (value.isObject()) {
      for (const auto& member : value.getMemberNames())
        replace(pointer + "/" + member, value[member]);
    }
  }

 private:
  Json::Value replace_text(const std::string& pointer, const std::string& text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const size_t dollar = text.find("${", at);
      if (dollar == std::string::npos) return out + text.substr(at);
      if (dollar > at && text[dollar - 1] == '$') {
        out += text.substr(at, dollar - 1 - at) + "${";
        at = dollar + 2;
        continue;
      }
      const size_t end = text.find('}', dollar);
      if (end == std::string::npos) {
        fault(pointer, "\"${\" without \"}\"; write $${ for the characters themselves");
        return text;
      }
      Json::Value value = look_up(pointer, text.substr(dollar + 2, end - dollar - 2));
      if (document_.unknown.contains(pointer)) return text;
      if (dollar == 0 && end + 1 == text.size()) return value;
      out += text.substr(at, dollar - at) + as_text(pointer, value);
      at = end + 1;
    }
    return out;
  }

  std::string as_text(const std::string& pointer, const Json::Value& value) {
    if (!value.isObject() && !value.isArray()) return value.asString();
    fault(pointer, "a variable that is a list or an object cannot stand inside text");
    return "";
  }

  Json::Value look_up(const std::string& pointer, const std::string& name) {
    if (auto value = built_in(name, clock_)) return *value;
    const auto found = variables_.find(name);
    if (found != variables_.end()) return value_of(pointer, *found);
    document_.unknown.insert(pointer);
    std::vector<std::string> known{"run.id", "run.date", "run.time"};
    for (const auto& [variable, value] : variables_) known.push_back(variable);
    fault(pointer, "${" + name + "}: undefined variable" + did_you_mean(name, known) +
                       " (define it under variables:, in the environment, or with --set " + name +
                       "=..)");
    return "";
  }

  // What a variable's own value refers to is replaced, too.
  Json::Value value_of(const std::string& pointer, const Variables::value_type& variable) {
    const auto& [name, own] = variable;
    if (++looked_up_ > kMostLookups) {
      document_.unknown.insert(pointer);
      if (looked_up_ == kMostLookups + 1)
        fault(pointer, "${" + name + "}: its variables refer to others too often; write them out");
      return "";
    }
    if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
      document_.unknown.insert(pointer);
      fault(pointer, "${" + name + "}: the variable refers to itself");
      return "";
    }
    Json::Value value = own;
    open_.push_back(name);
    replace(pointer, value);
    open_.pop_back();
    return value;
  }

  void fault(const std::string& pointer, const std::string& why) {
    faults_.push_back({document_.file, document_.at(pointer), why});
  }

  static constexpr int kMostLookups = 10'000;

  Document& document_;
  const Variables& variables_;
  const RunClock& clock_;
  std::vector<Fault>& faults_;
  std::vector<std::string> open_;  // the variables that are being replaced, outermost first
  int looked_up_ = 0;
};

}  // namespace

Json::Value without_variables(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "${") == 0) out += '$';
    out += text[at];
  }
  return out;
}

void replace_variables(Document& document, const std::string& pointer, Json::Value& value,
                       const Variables& variables, const RunClock& clock,
                       std::vector<Fault>& faults) {
  Replacer(document, variables, clock, faults).replace(pointer, value);
}

}  // namespace patchbay::host
