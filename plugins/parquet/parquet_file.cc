#include "parquet_file.h"

#include <arrow/array.h>
#include <arrow/io/interfaces.h>

#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "arrow_errors.h"
#include "arrow_pool.h"
#include "arrow_types.h"
#include "convert.h"
#include "int96.h"
#include "misfit_rows.h"

namespace patchbay {
namespace {

constexpr int64_t kBatchRows = 65536;
constexpr int64_t kBatchBytes = 8 << 20;
constexpr int64_t kColumnBuffer = 256 << 10;  // of a file on disk

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

ParquetFile::ParquetFile(const ParquetDecodeConfig& config, std::string stream, Spool& whole)
    : config_(config), file_(whole.key()) {
  schema_.name = std::move(stream);
  const bool on_disk = whole.on_disk();
  const auto file = whole.finish();
  guard_parquet(file_, [&] {
    check_ends(*file);
    open(file, on_disk);
    read_schema();
    check_int96(*reader_->parquet_reader(), leaves(), file_, config_.truncate);
  });
}

ParquetFile::~ParquetFile() = default;

// Says what the library would say less plainly.
void ParquetFile::check_ends(arrow::io::RandomAccessFile& file) const {
  const int64_t size = value_of(file_, file.GetSize());
  if (size == 0)
    throw Error(Code::kData, file_ + ": is empty; a Parquet file has a footer at least");
  const auto at = [&](int64_t position, int64_t count) {
    return value_of(file_, file.ReadAt(position, count))->ToString();
  };
  const std::string begin = at(0, std::min<int64_t>(4, size));
  if (begin == "PARE") {
    throw Error(Code::kData, file_ + ": is encrypted, with its footer; decrypt it before");
  }
  if (begin != "PAR1")
    throw Error(Code::kData, file_ + ": is no Parquet file: it does not begin with PAR1");
  const std::string tail = size < 12 ? "" : at(size - 8, 8);
  if (!tail.ends_with("PAR1"))
    throw Error(Code::kData, file_ + ": is cut off: it does not end with a Parquet footer (" +
                                 std::to_string(size) + " bytes)");
  uint32_t footer = 0;
  std::memcpy(&footer, tail.data(), sizeof footer);
  if (footer > size - 12) {
    throw Error(Code::kData, file_ + ": is damaged: its footer would have " +
                                 std::to_string(footer) + " of " + std::to_string(size) + " bytes");
  }
}

void ParquetFile::open(const std::shared_ptr<arrow::io::RandomAccessFile>& file, bool on_disk) {
  parquet::ReaderProperties properties(arrow_pool());
  properties.set_page_checksum_verification(true);
  if (on_disk) {
    properties.enable_buffered_stream();
    properties.set_buffer_size(kColumnBuffer);
  }
  parquet::ArrowReaderProperties columns(false);
  columns.set_pre_buffer(false);
  columns.set_arrow_extensions_enabled(true);
  columns.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  parquet::arrow::FileReaderBuilder builder;
  check_status(file_, builder.Open(file, properties));
  columns.set_batch_size(kBatchRows);
  reader_ = value_of(file_, builder.memory_pool(arrow_pool())->properties(columns)->Build());
  reader_->set_batch_size(batch_rows());
}

// Rows of about kBatchBytes, by what the footer says of them.
int64_t ParquetFile::batch_rows() const {
  const auto& metadata = *reader_->parquet_reader()->metadata();
  int64_t bytes = 0;
  for (int i = 0; i < metadata.num_row_groups(); ++i)
    bytes += std::max<int64_t>(0, metadata.RowGroup(i)->total_byte_size());
  const int64_t rows = std::max<int64_t>(1, metadata.num_rows());
  return std::clamp<int64_t>(kBatchBytes / std::max<int64_t>(1, bytes / rows), 64, kBatchRows);
}

void ParquetFile::read_schema() {
  std::shared_ptr<arrow::Schema> all;
  check_status(file_, reader_->GetSchema(&all));
  if (all->num_fields() == 0) throw Error(Code::kData, file_ + ": has no columns");
  std::set<std::string> names;
  for (const auto& field : all->fields()) {
    if (!names.insert(field->name()).second)
      throw Error(Code::kData, file_ + ": two columns are called " + field->name());
    if (config_.columns.empty()) schema_.fields.push_back(model_field(*field, file_));
  }
  for (const auto& name : config_.columns) {
    const auto field = all->GetFieldByName(name);
    if (!field) throw Error(Code::kConfig, "columns: " + file_ + " has no column " + name);
    schema_.fields.push_back(model_field(*field, file_));
  }
  const auto metadata = reader_->parquet_reader()->metadata()->key_value_metadata();
  if (metadata && metadata->Contains("patchbay.keys"))
    schema_.keys = split_lines(*metadata->Get("patchbay.keys"));
  std::erase_if(schema_.keys, [&](const auto& key) { return schema_.index_of(key) < 0; });
}

// The file's leaf columns below the wanted ones.
std::vector<int> ParquetFile::leaves() const {
  const auto& columns = *reader_->parquet_reader()->metadata()->schema();
  std::vector<int> out;
  for (int i = 0; i < columns.num_columns(); ++i) {
    if (schema_.index_of(columns.GetColumnRoot(i)->name()) >= 0) out.push_back(i);
  }
  return out;
}

void ParquetFile::fit(SchemaPtr stream) {
  stream_ = std::move(stream);
  const auto refuse = [&](const Field& field, const std::string& why) {
    throw Error(Code::kSchema, file_ + ": column " + field.name + why +
                                   " in the first file of stream " + stream_->name +
                                   "; read such files in a pipeline of their own");
  };
  for (const auto& field : schema_.fields) {
    const int at = stream_->index_of(field.name);
    if (at < 0) refuse(field, " is not");
    const Type& wanted = stream_->fields[static_cast<size_t>(at)].type;
    if (!widens(field.type, wanted))
      refuse(field, " is " + type_name(field.type) + ", and " + type_name(wanted));
  }
  for (const auto& field : stream_->fields) {
    const int at = schema_.index_of(field.name);
    if (at < 0 && !field.nullable) refuse(field, " is missing, and never null");
  }
  guard_parquet(file_, [&] {
    std::vector<int> groups(static_cast<size_t>(reader_->num_row_groups()));
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
    batches_ = value_of(file_, reader_->GetRecordBatchReader(groups, leaves()));
  });
  const auto columns = batches_->schema();
  for (const auto& field : stream_->fields)
    positions_.push_back(columns->GetFieldIndex(field.name));
}

std::optional<Batch> ParquetFile::next(Call& call) {
  call.throw_if_cancelled();
  while (rest_.rows() == 0) {
    bool more = false;
    guard_parquet(file_, [&] { more = read_batch(call); });
    if (!more) return std::nullopt;
  }
  const int64_t most = call.max_rows();
  if (rest_.rows() <= most) return std::exchange(rest_, Batch());
  Batch part = rest_.slice(0, most);
  rest_ = rest_.slice(most, rest_.rows() - most);
  return part;
}

bool ParquetFile::read_batch(Call& call) {
  std::shared_ptr<arrow::RecordBatch> batch;
  check_status(file_, batches_->ReadNext(&batch));
  if (!batch) return false;
  arrow::ArrayVector columns;
  for (const int at : positions_) {
    columns.push_back(at < 0 ? std::make_shared<arrow::NullArray>(batch->num_rows())
                             : batch->column(at));
  }
  int64_t rows = batch->num_rows();
  auto converted = convert_columns(columns);
  if (!converted) {
    const MisfitRows misfits(*stream_, columns, config_.truncate);
    misfits.reject(call, file_, read_);
    columns = value_of(file_, misfits.others());
    rows -= misfits.count();
    converted = convert_columns(columns);
    if (!converted) throw Error(Code::kData, file_ + ": a batch of its rows is too large");
  }
  read_ += batch->num_rows();
  rest_ = Batch(stream_, export_columns(file_, rows, *converted));
  return true;
}

// Nothing where a value has no exact counterpart.
std::optional<arrow::ArrayVector> ParquetFile::convert_columns(
    const arrow::ArrayVector& columns) const {
  arrow::ArrayVector out;
  for (size_t i = 0; i < columns.size(); ++i) {
    auto column = convert(columns[i], stream_->fields[i].type, config_.truncate);
    if (column.status().IsInvalid()) return std::nullopt;
    out.push_back(value_of(file_, std::move(column)));
  }
  return out;
}

}  // namespace patchbay
