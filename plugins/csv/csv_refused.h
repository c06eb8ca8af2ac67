// Records that csv.decode refused: as JSON, and as a file again.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "csv_file.h"

namespace patchbay {

// {"line": its text, "header": the file's}; of a text that is no UTF-8 also {"base64": its bytes}.
std::string refused_record(std::string_view text, const std::string& header);

// The file that the configuration reads as these records. Throws Error kData for a text that is no
// such record.
std::string file_of_refused(const CsvDecodeConfig& config,
                            std::span<const std::string_view> records);

}  // namespace patchbay
