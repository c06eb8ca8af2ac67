// Where a thread is, in words: for reports of a deadlock.
#pragma once

#include <string>

namespace patchbay::simulation {

struct Thread;

std::string frames_here();                       // of the present stack, innermost first
std::string text_of_site(const Thread& thread);  // the call into a plugin that it is in

}  // namespace patchbay::simulation
