#include "csv_encode.h"

#include <algorithm>
#include <array>
#include <utility>

#include "patchbay/text_value.h"

namespace patchbay {
namespace {

// A batch's column as text, value behind value.
struct Column {
  std::unique_ptr<TextColumn> values;
  bool is_plain;  // never needs quotes
  std::string text;
  std::vector<size_t> ends;
};

class CsvText final : public FileEncoder {
 public:
  CsvText(const CsvEncodeConfig& config, const Schema& schema)
      : config_(config),
        dialect_(config.dialect),
        null_(config.dialect.nulls.at(0)),
        schema_(schema),
        columns_(schema.fields.size()) {
    for (const char c : {dialect_.delimiter, dialect_.quote, dialect_.escape, '\n', '\r'})
      if (c != 0) special_[static_cast<unsigned char>(c)] = true;
    for (size_t i = 0; i < columns_.size(); ++i)
      columns_[i].is_plain = is_plain(schema_.fields[i].type);
  }

  void begin(std::string& out) override {
    if (!config_.header) return;
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      if (i > 0) out += dialect_.delimiter;
      put(out, schema_.fields[i].name);
    }
    out += config_.newline;
  }

  void rows(std::string& out, Batch batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      column.text.clear();
      column.ends.assign(1, 0);
      column.values = text_column(schema_.fields[i].type, *batch.array().children[i],
                                  batch.array().offset, batch.rows());
      column.values->append_all(column.text, column.ends, batch.rows());
    }
    for (int64_t row = 0; row < batch.rows(); ++row) put_row(out, static_cast<size_t>(row));
  }

 private:
  // Numbers, dates and times consist of these.
  bool is_plain(const Type& type) const {
    constexpr std::string_view kCharacters =
        "0123456789+-.:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const bool text = type.id == TypeId::kUtf8 || type.id == TypeId::kBinary ||
                      type.id == TypeId::kList || type.id == TypeId::kStruct;
    return !text && null_.empty() &&
           std::none_of(kCharacters.begin(), kCharacters.end(),
                        [&](char c) { return special_[static_cast<unsigned char>(c)]; });
  }

  void put_row(std::string& out, size_t row) const {
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      if (i > 0) out += dialect_.delimiter;
      const size_t begin = column.ends[row], size = column.ends[row + 1] - begin;
      const std::string_view value(column.text.data() + begin, size);
      if (size == 0 && column.values->is_null(static_cast<int64_t>(row))) {
        out += null_;
      } else if (column.is_plain) {
        out += value;
      } else {
        put(out, value);
      }
    }
    out += config_.newline;
  }

  // What could be taken for null, or for more than one field, is quoted; where there are no quotes,
  // escaped.
  void put(std::string& out, std::string_view value) const {
    const bool is_special = std::any_of(value.begin(), value.end(), [&](char c) {
      return special_[static_cast<unsigned char>(c)];
    });
    const bool is_plain = !is_special && value != null_;
    if (!is_plain && dialect_.quote != 0) return put_quoted(out, value);
    if (!is_plain && dialect_.escape != 0) return put_escaped(out, value);
    if (is_special) {
      throw Error(Code::kData, "stream " + schema_.name +
                                   ": a text has the delimiter or a line's end in it, and there is "
                                   "neither quote nor escape to tell; set one");
    }
    out += value;
  }

  void put_quoted(std::string& out, std::string_view value) const {
    const char escape = dialect_.escape != 0 ? dialect_.escape : dialect_.quote;
    out += dialect_.quote;
    for (const char c : value) {
      if (c == dialect_.quote || c == escape) out += escape;
      out += c;
    }
    out += dialect_.quote;
  }

  void put_escaped(std::string& out, std::string_view value) const {
    bool first = value == null_;
    for (const char c : value) {
      if (special_[static_cast<unsigned char>(c)] || std::exchange(first, false))
        out += dialect_.escape;
      out += c;
    }
  }

  const CsvEncodeConfig& config_;
  const CsvDialect& dialect_;
  const std::string null_;
  const Schema schema_;
  std::array<bool, 256> special_{};
  std::vector<Column> columns_;
};

}  // namespace

CsvEncode::CsvEncode(Context&, const Config& config)
    : config_{parse_dialect(config), config.get<bool>("header"),
              config.get<std::string>("newline") == "crlf" ? "\r\n" : "\n"},
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
