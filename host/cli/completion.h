// Shell completions. The scripts ask the program itself, which knows its verbs, flags and what is
// there.
#pragma once

#include <string>
#include <vector>

namespace patchbay::host {

class SignalWatch;

inline constexpr const char* kCompleteVerb = "__complete";  // what the scripts call

std::string completion_script(const std::string& shell);  // throws UsageError for an unknown shell

// What may stand in place of the last of `words`, which is begun or empty: a word a line, with a
// tab and its meaning where it has one. A line `:files` or `:folders` leaves more to the shell.
std::string complete(std::vector<std::string> words, SignalWatch& signals);

}  // namespace patchbay::host
