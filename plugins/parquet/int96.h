// Timestamps of 96 bits, which older Spark and Impala write: nanoseconds in a range that nothing
// else has.
#pragma once

#include <string>
#include <vector>

namespace parquet {
class ParquetFileReader;
}

namespace patchbay {

// Arrow reads them as microseconds without a word about what it cuts off, so they are looked at
// before. Throws kData with file, column and row for one that is no whole number of microseconds,
// unless `truncate`, or out of their range.
void check_int96(parquet::ParquetFileReader& file, const std::vector<int>& leaves,
                 const std::string& name, bool truncate);

}  // namespace patchbay
