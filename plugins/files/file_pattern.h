// Paths with *, **, ? and {a,b}.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchbay {

bool is_pattern(const std::string& path);

// {a,b} written out: each alternative a pattern of its own.
std::vector<std::string> expand_braces(const std::string& pattern);

// `*` and `?` stop at a slash, `**` does not; `**/` also stands for nothing.
bool matches(const std::string& pattern, const std::string& path);

// Regular files, sorted by path. Names that begin with a dot are only found by a pattern that names
// the dot.
std::vector<std::filesystem::path> find_files(const std::string& pattern);

}  // namespace patchbay
