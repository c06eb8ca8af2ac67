#include "int96.h"

#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <array>

#include "patchbay/error.h"
#include "patchbay/type.h"

namespace patchbay {
namespace {

constexpr int64_t kValues = 4096;         // looked at in one go
constexpr int64_t kUnixEpoch = 2440588;   // as a Julian day
constexpr int64_t kDay = 86'400'000'000;  // microseconds

class Int96Column {
 public:
  Int96Column(const std::string& file, const parquet::ColumnDescriptor& column, bool truncate)
      : file_(file), column_(column), truncate_(truncate) {}

  void check(parquet::Int96Reader& reader) {
    while (reader.HasNext()) {
      int64_t values = 0;
      const int64_t levels = reader.ReadBatch(kValues, definitions_.data(), repetitions_.data(),
                                              values_.data(), &values);
      if (levels == 0) break;
      int64_t value = 0;
      for (size_t i = 0; i < static_cast<size_t>(levels); ++i) {
        if (column_.max_repetition_level() == 0 || repetitions_[i] == 0) ++row_;
        if (column_.max_definition_level() == 0 ||
            definitions_[i] == column_.max_definition_level())
          check(values_[static_cast<size_t>(value++)]);
      }
    }
  }

 private:
  void check(const parquet::Int96& value) const {
    const uint64_t nanoseconds = value.value[0] | uint64_t{value.value[1]} << 32;
    const Int128 microseconds =
        Int128{int64_t{value.value[2]} - kUnixEpoch} * kDay + nanoseconds / 1000;
    if (microseconds > INT64_MAX || microseconds < INT64_MIN)
      fail("out of the range of timestamp[us]");
    if (nanoseconds % 1000 != 0 && !truncate_)
      fail("with nanoseconds; nanoseconds: truncate cuts them off");
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Code::kData, file_ + ": column " + column_.path()->ToDotString() + ", row " +
                                 std::to_string(row_) + ": a timestamp (INT96) " + why);
  }

  const std::string& file_;
  const parquet::ColumnDescriptor& column_;
  const bool truncate_;
  int64_t row_ = 0;
  std::array<int16_t, kValues> definitions_{}, repetitions_{};
  std::array<parquet::Int96, kValues> values_{};
};

}  // namespace

void check_int96(parquet::ParquetFileReader& file, const std::vector<int>& leaves,
                 const std::string& name, bool truncate) {
  for (const int leaf : leaves) {
    const auto& column = *file.metadata()->schema()->Column(leaf);
    if (column.physical_type() != parquet::Type::INT96) continue;
    Int96Column checked(name, column, truncate);
    for (int group = 0; group < file.metadata()->num_row_groups(); ++group) {
      const auto reader = file.RowGroup(group)->Column(leaf);
      checked.check(static_cast<parquet::Int96Reader&>(*reader));
    }
  }
}

}  // namespace patchbay
