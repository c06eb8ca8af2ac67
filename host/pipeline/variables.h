// ${name} in the text values of a pipeline file.
#pragma once

#include <json/value.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "pipeline/document.h"

namespace patchbay::host {

struct RunClock {
  std::string run_id;
  std::chrono::system_clock::time_point started;
  std::string timezone = "UTC";  // IANA name
  // What differs from run to run stays as it is written: for what must be the same in each.
  bool literal = false;
};

using Variables = std::map<std::string, Json::Value>;

// Replaces ${name}, ${run.id}, ${run.date}, ${run.time} and their ${run.date:%Y%m%d} forms below
// `pointer` of the document, in the variables' own values as well; $${ stands for ${. A value that
// is nothing but one variable takes its type. Adds a fault for each unknown name, and for variables
// that refer to themselves, or to others without measure.
void replace_variables(Document& document, const std::string& pointer, Json::Value& value,
                       const Variables& variables, const RunClock& clock,
                       std::vector<Fault>& faults);

// Text as the value of a variable that stays as it is.
Json::Value without_variables(const std::string& text);

// Throws Error kConfig where there is no such zone.
std::string format_in_zone(const RunClock& clock, const std::string& format);

}  // namespace patchbay::host
