// Methods of compression, and the endings that names of files have for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patchbay/type.h"

namespace patchbay {

enum class Method { kAuto, kGzip, kZstd, kNone };

Method parse_method(std::string_view name);        // auto, gzip, zstd, none
Method method_of_name(std::string_view key);       // kNone where the ending says nothing
std::string without_ending(std::string_view key);  // a.csv.gz -> a.csv, a.tgz -> a.tar

std::vector<Schema> same_streams(const std::vector<SchemaPtr>& in);

}  // namespace patchbay
