#include "parquet_encode.h"

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/io/interfaces.h>

#include <arrow/record_batch.h>
#include <arrow/util/config.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>

#include "arrow_errors.h"
#include "arrow_pool.h"
#include "arrow_types.h"

namespace patchbay {
namespace {

// Appends to the text that the encoder is handed, for as long as it has it. A writer that is
// dropped half-way still writes a footer, to nowhere.
class AppendStream final : public arrow::io::OutputStream {
 public:
  class Appending {
   public:
    Appending(AppendStream& stream, std::string& out) : stream_(stream) { stream_.out_ = &out; }
    ~Appending() { stream_.out_ = nullptr; }

   private:
    AppendStream& stream_;
  };

  arrow::Status Write(const void* data, int64_t size) override {
    if (!out_) return arrow::Status::OK();
    out_->append(static_cast<const char*>(data), static_cast<size_t>(size));
    position_ += size;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  std::string* out_ = nullptr;
  int64_t position_ = 0;
  bool closed_ = false;
};

parquet::Compression::type codec_of(const std::string& name) {
  return name == "zstd"     ? parquet::Compression::ZSTD
         : name == "snappy" ? parquet::Compression::SNAPPY
                            : parquet::Compression::UNCOMPRESSED;
}

std::shared_ptr<parquet::WriterProperties> writer_properties(const ParquetEncodeConfig& config) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(arrow_pool())
      ->created_by("patchbay version " PATCHBAY_PLUGIN_VERSION " (build arrow-" ARROW_VERSION_STRING
                   ")")
      ->compression(codec_of(config.compression))
      ->enable_page_checksum()
      ->enable_store_decimal_as_integer()
      ->max_row_group_length(config.row_group_rows);
  if (config.level != 0) builder.compression_level(config.level);
  return builder.build();
}

std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties() {
  parquet::ArrowWriterProperties::Builder builder;
  builder.store_schema()->set_use_threads(false);
  return builder.build();
}

void refuse_empty_structs(const Field& field, const std::string& path) {
  if (field.type.id == TypeId::kStruct && field.type.fields.empty()) {
    throw Error(Code::kData, path + ": a struct without fields has no form in Parquet; drop it, " +
                                 "or cast it to json");
  }
  for (const auto& member : field.type.fields)
    refuse_empty_structs(member, path + "." + member.name);
}

// A row group is held in memory, encoded, until it is whole.
class ParquetBytes final : public FileEncoder {
 public:
  ParquetBytes(const ParquetEncodeConfig& config, const SchemaPtr& schema)
      : config_(config),
        subject_("stream " + schema->name),
        schema_(arrow_schema(*schema)),
        sink_(std::make_shared<AppendStream>()) {
    if (schema->fields.empty())
      throw Error(Code::kData, subject_ + ": has no columns; a Parquet file needs one");
    for (const auto& field : schema->fields)
      refuse_empty_structs(field, subject_ + ": column " + field.name);
  }

  void begin(std::string& out) override {
    const AppendStream::Appending appending(*sink_, out);
    guard([&] {
      writer_ =
          value_of(subject_,
                   parquet::arrow::FileWriter::Open(*schema_, arrow_pool(), sink_,
                                                    writer_properties(config_), arrow_properties()),
                   Doing::kWrite);
      if (schema_->metadata()) check(writer_->AddKeyValueMetadata(schema_->metadata()));
    });
  }

  void rows(std::string& out, Batch batch) override {
    const AppendStream::Appending appending(*sink_, out);
    while (batch.rows() > 0) {
      if (rows_ == 0 || rows_ >= config_.row_group_rows || bytes_ >= config_.row_group_bytes) {
        guard([&] { check(writer_->NewBufferedRowGroup()); });
        rows_ = bytes_ = 0;
      }
      const int64_t take = std::min(batch.rows(), config_.row_group_rows - rows_);
      Batch part = batch.slice(0, take);
      batch = batch.slice(take, batch.rows() - take);
      rows_ += take;
      bytes_ += part.bytes();
      guard([&] { write(std::move(part)); });
    }
  }

  void end(std::string& out) override {
    const AppendStream::Appending appending(*sink_, out);
    guard([&] { check(writer_->Close()); });
  }

 private:
  void guard(const std::function<void()>& work) const {
    guard_parquet(subject_, work, Doing::kWrite);
  }
  void check(const arrow::Status& status) const { check_status(subject_, status, Doing::kWrite); }

  void write(Batch batch) {
    ArrowArray c{};
    batch.take().move_to(&c);
    const auto type = arrow::struct_(schema_->fields());
    const auto rows = value_of(subject_, arrow::ImportArray(&c, type), Doing::kWrite);
    const auto columns =
        value_of(subject_, arrow::RecordBatch::FromStructArray(rows, arrow_pool()), Doing::kWrite);
    check(writer_->WriteRecordBatch(*columns));
  }

  const ParquetEncodeConfig& config_;
  const std::string subject_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<AppendStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t rows_ = 0, bytes_ = 0;  // of the open row group
};

ParquetEncodeConfig parse_config(const Config& config, const FileParts& parts) {
  ParquetEncodeConfig out;
  out.compression = config.get<std::string>("compression");
  out.level = static_cast<int>(config.get<int64_t>("level"));
  if (out.level != 0 && out.compression != "zstd")
    config_error("level", "goes with compression: zstd");
  out.row_group_rows = config.get<int64_t>("row_group_rows");
  out.row_group_bytes = config.get<int64_t>("row_group_bytes");
  if (parts.bytes > 0) out.row_group_bytes = std::min(out.row_group_bytes, parts.bytes);
  return out;
}

}  // namespace

ParquetEncode::ParquetEncode(Context&, const Config& config)
    : parts_(file_parts(config)), config_(parse_config(config, parts_)) {}

std::vector<Schema> ParquetEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return object_streams(in);
}

std::unique_ptr<Reader> ParquetEncode::open(Call&, std::vector<Input> inputs) {
  return encode_files(std::move(inputs.at(0)), parts_, [this](const SchemaPtr& schema) {
    return std::make_unique<ParquetBytes>(config_, schema);
  });
}

}  // namespace patchbay
