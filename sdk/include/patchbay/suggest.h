// "did you mean": the nearest of some known names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

// The known name nearest to `name` by edit distance (transpositions count one), or empty where none
// is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);
// ", did you mean page_size?", or empty.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace patchbay
