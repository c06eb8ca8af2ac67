#include "csv_encode.h"

#include "patchbay/text_value.h"

namespace patchbay {
namespace {

class CsvText final : public FileEncoder {
 public:
  CsvText(const CsvEncodeConfig& config, const Schema& schema) : config_(config), schema_(schema) {}

  void begin(std::string& out) override {
    if (!config_.header) return;
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      if (i > 0) out += config_.dialect.delimiter;
      put(out, schema_.fields[i].name, true);
    }
    out += '\n';
  }

  void rows(std::string& out, Batch batch) override {
    std::vector<std::unique_ptr<TextColumn>> columns;
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      columns.push_back(text_column(schema_.fields[i].type, *batch.array().children[i],
                                    batch.array().offset, batch.rows()));
    }
    for (int64_t row = 0; row < batch.rows(); ++row) put_row(out, columns, row);
  }

 private:
  void put_row(std::string& out, const std::vector<std::unique_ptr<TextColumn>>& columns,
               int64_t row) {
    const size_t begin = out.size();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out += config_.dialect.delimiter;
      if (columns[i]->is_null(row)) {
        out += config_.null;
        continue;
      }
      value_.clear();
      columns[i]->append(value_, row);
      put(out, value_, value_ != config_.null);
    }
    // A line that is empty would be skipped by readers.
    if (out.size() == begin) out += std::string(2, config_.dialect.quote);
    out += '\n';
  }

  void put(std::string& out, std::string_view value, bool may_be_plain) const {
    const char special[] = {config_.dialect.delimiter, config_.dialect.quote, '\n', '\r'};
    if (may_be_plain && !value.empty() &&
        value.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
      out += value;
      return;
    }
    out += config_.dialect.quote;
    for (const char c : value) {
      if (c == config_.dialect.quote) out += c;
      out += c;
    }
    out += config_.dialect.quote;
  }

  const CsvEncodeConfig& config_;
  const Schema schema_;
  std::string value_;
};

}  // namespace

CsvEncode::CsvEncode(Context&, const Config& config)
    : config_{{config.get<std::string>("delimiter")[0], config.get<std::string>("quote")[0]},
              config.get<bool>("header"),
              config.get<std::string>("null")},
      parts_(file_parts(config)) {}

std::vector<Schema> CsvEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return object_streams(in);
}

std::unique_ptr<Reader> CsvEncode::open(Call&, std::vector<Input> inputs) {
  return encode_files(std::move(inputs.at(0)), parts_, [this](const SchemaPtr& schema) {
    return std::make_unique<CsvText>(config_, *schema);
  });
}

}  // namespace patchbay
