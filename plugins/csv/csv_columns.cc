#include "csv_columns.h"

#include <charconv>
#include <limits>

#include "patchbay/text_value.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

// Digits with an optional minus; no more of them than the type is sure to hold.
template <class T>
bool parse_integer(std::string_view text, T& out) {
  constexpr size_t kSure = std::numeric_limits<T>::digits10;
  const bool negative = std::is_signed_v<T> && text[0] == '-';
  const size_t digits = text.size() - negative;
  if (digits == 0 || digits > kSure) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  }
  uint64_t value = 0;
  for (size_t i = negative; i < text.size(); ++i) {
    const auto digit = static_cast<unsigned>(text[i] - '0');
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  out = static_cast<T>(negative ? 0 - value : value);
  return true;
}

template <class T>
bool parse_float(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

struct CsvColumn::Fillers {
  // `put` appends a value of the text, or says false.
  template <bool kText, class B, class Put>
  static void fill(const Fields& fields, ColumnBuilder& column, std::vector<uint32_t>& bad,
                   Put put) {
    auto& out = static_cast<B&>(column);
    const CsvBlock& block = fields.block;
    const char* text = block.text.data();
    const CsvField* field = block.fields.data() + fields.at;
    const bool empty_is_null = fields.dialect.nulls.size() == 1 && fields.dialect.nulls[0].empty();
    const auto rows = static_cast<uint32_t>(block.rows.size());
    for (uint32_t row = 0; row < rows; ++row, field += block.columns) {
      const bool empty = field->size() == 0;
      const bool null =
          (empty && !kText) || field->escaped_null() ||
          (!field->quoted() && (empty_is_null ? empty : fields.dialect.is_null(field->in(text))));
      if (null) {
        out.append_null();
      } else if (!put(out, field->in(text))) {
        out.append_null();
        bad.push_back(row);
      }
    }
  }

  template <class T>
  static void integers(const Type&, const Fields& fields, ColumnBuilder& column,
                       std::vector<uint32_t>& bad) {
    fill<false, FixedBuilder<T>>(fields, column, bad, [](auto& out, std::string_view text) {
      T value{};
      if (!parse_integer(text, value)) return false;
      out.append(value);
      return true;
    });
  }

  template <class T>
  static void floats(const Type&, const Fields& fields, ColumnBuilder& column,
                     std::vector<uint32_t>& bad) {
    fill<false, FixedBuilder<T>>(fields, column, bad, [](auto& out, std::string_view text) {
      T value{};
      if (!parse_float(text, value)) return false;
      out.append(value);
      return true;
    });
  }

  // The block's text is UTF-8 already.
  static void texts(const Type&, const Fields& fields, ColumnBuilder& column,
                    std::vector<uint32_t>& bad) {
    fill<true, Utf8Builder>(fields, column, bad, [](auto& out, std::string_view text) {
      out.append(text);
      return true;
    });
  }

  static void dates(const Type&, const Fields& fields, ColumnBuilder& column,
                    std::vector<uint32_t>& bad) {
    fill<false, Date32Builder>(fields, column, bad, [](auto& out, std::string_view text) {
      const auto value = parse_date(text);
      if (value) out.append(*value);
      return value.has_value();
    });
  }

  static void decimals(const Type& type, const Fields& fields, ColumnBuilder& column,
                       std::vector<uint32_t>& bad) {
    fill<false, DecimalBuilder>(fields, column, bad, [&](auto& out, std::string_view text) {
      const auto value = parse_decimal(text, type.precision, type.scale);
      if (value) out.append(*value);
      return value.has_value();
    });
  }

  // Text with an offset can't become local time.
  static void timestamps(const Type& type, const Fields& fields, ColumnBuilder& column,
                         std::vector<uint32_t>& bad) {
    const bool local = type.timezone.empty();
    fill<false, TimestampBuilder>(fields, column, bad, [&](auto& out, std::string_view text) {
      const auto value = parse_timestamp(text);
      if (!value || (local && value->has_zone)) return false;
      out.append(value->micros);
      return true;
    });
  }

  static void others(const Type& type, const Fields& fields, ColumnBuilder& column,
                     std::vector<uint32_t>& bad) {
    const TextAppender appender(type, column);
    fill<false, ColumnBuilder>(fields, column, bad,
                               [&](auto&, std::string_view text) { return appender.append(text); });
  }

  static Fill of(const Type& type) {
    switch (type.id) {
      case TypeId::kInt8:
        return integers<int8_t>;
      case TypeId::kInt16:
        return integers<int16_t>;
      case TypeId::kInt32:
        return integers<int32_t>;
      case TypeId::kInt64:
        return integers<int64_t>;
      case TypeId::kUint8:
        return integers<uint8_t>;
      case TypeId::kUint16:
        return integers<uint16_t>;
      case TypeId::kUint32:
        return integers<uint32_t>;
      case TypeId::kUint64:
        return integers<uint64_t>;
      case TypeId::kFloat32:
        return floats<float>;
      case TypeId::kFloat64:
        return floats<double>;
      case TypeId::kDecimal128:
        return decimals;
      case TypeId::kUtf8:
        return texts;
      case TypeId::kDate32:
        return dates;
      case TypeId::kTimestamp:
        return timestamps;
      default:
        return others;
    }
  }
};

CsvColumn::CsvColumn(const Type& type) : type_(type), fill_(Fillers::of(type)) {}

}  // namespace patchbay
