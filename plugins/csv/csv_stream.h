// Streams of CSV files to streams of rows.
#pragma once

#include <memory>

#include "csv_file.h"
#include "patchbay/plugin.h"

namespace patchbay {

// A stream's schema is settled by its first file, by declaration and guess; the columns of later
// ones are found by name. With several threads the reader's own cuts the text into records, and
// others make rows of them, in order; up to `threads` pieces of 1 MiB are under way.
std::unique_ptr<Reader> read_csv(Context& context, const CsvDecodeConfig& config, Input input);

}  // namespace patchbay
