#include "sqlite_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "patchbay/text_value.h"

namespace patchbay {
namespace {

template <class V>
BindColumn bind_integer(V view) {
  return [view](Statement& out, int parameter, int64_t row) {
    if (view.is_null(row)) {
      out.bind_null(parameter);
    } else {
      out.bind(parameter, static_cast<int64_t>(view[row]));
    }
  };
}

template <class V>
BindColumn bind_real(V view) {
  return [view](Statement& out, int parameter, int64_t row) {
    if (view.is_null(row)) {
      out.bind_null(parameter);
    } else {
      out.bind(parameter, static_cast<double>(view[row]));
    }
  };
}

BindColumn bind_text(const Type& type, const ArrowArray& array, int64_t offset, int64_t length) {
  std::shared_ptr<TextColumn> column = text_column(type, array, offset, length);
  return [column, text = std::string()](Statement& out, int parameter, int64_t row) mutable {
    if (column->is_null(row)) {
      out.bind_null(parameter);
      return;
    }
    text.clear();
    column->append(text, row);
    out.bind(parameter, text);
  };
}

// SQLite prints 15 digits; where they are not all of them, the shortest text that reads back is.
bool append_real(double value, Utf8Builder& out) {
  std::array<char, 64> text{};
  sqlite3_snprintf(static_cast<int>(text.size()), text.data(), "%!.15g", value);
  if (std::strtod(text.data(), nullptr) == value) {
    out.append(std::string_view(text.data()));
  } else {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(std::string_view(text.data(), static_cast<size_t>(end - text.data())));
  }
  return true;
}

}  // namespace

std::string declared_type(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "BOOLEAN";
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint8:
    case TypeId::kUint16:
    case TypeId::kUint32:
      return "INTEGER";
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return "REAL";
    case TypeId::kDecimal128:
      // A double gives back 15 digits as they are; more stay exact as text.
      return type.precision <= 15 ? "REAL" : "TEXT";
    case TypeId::kBinary:
      return "BLOB";
    default:
      return "TEXT";  // uint64 too: it may be beyond SQLite's integers
  }
}

BindColumn bind_column(const Type& type, const ArrowArray& array, int64_t offset, int64_t length) {
  switch (type.id) {
    case TypeId::kBool:
      return bind_integer(BoolView(type, array, offset, length));
    case TypeId::kInt8:
      return bind_integer(Int8View(type, array, offset, length));
    case TypeId::kInt16:
      return bind_integer(Int16View(type, array, offset, length));
    case TypeId::kInt32:
      return bind_integer(Int32View(type, array, offset, length));
    case TypeId::kInt64:
      return bind_integer(Int64View(type, array, offset, length));
    case TypeId::kUint8:
      return bind_integer(Uint8View(type, array, offset, length));
    case TypeId::kUint16:
      return bind_integer(Uint16View(type, array, offset, length));
    case TypeId::kUint32:
      return bind_integer(Uint32View(type, array, offset, length));
    case TypeId::kFloat32:
      return bind_real(Float32View(type, array, offset, length));
    case TypeId::kFloat64:
      return bind_real(Float64View(type, array, offset, length));
    case TypeId::kUtf8:
      return [view = Utf8View(type, array, offset, length)](Statement& out, int parameter,
                                                            int64_t row) {
        if (view.is_null(row)) {
          out.bind_null(parameter);
        } else {
          out.bind(parameter, view[row]);
        }
      };
    case TypeId::kBinary:
      return [view = BinaryView(type, array, offset, length)](Statement& out, int parameter,
                                                              int64_t row) {
        if (view.is_null(row)) {
          out.bind_null(parameter);
        } else {
          out.bind_blob(parameter, view[row]);
        }
      };
    default:
      return bind_text(type, array, offset, length);
  }
}

Type type_of_declared(const std::string& declared) {
  std::string upper = declared;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  const auto has = [&](const char* part) { return upper.find(part) != std::string::npos; };
  if (has("BOOL")) return scalar(TypeId::kBool);
  if (has("INT")) return scalar(TypeId::kInt64);
  if (has("CHAR") || has("CLOB") || has("TEXT")) return scalar(TypeId::kUtf8);
  if (has("BLOB")) return scalar(TypeId::kBinary);
  if (has("REAL") || has("FLOA") || has("DOUB")) return scalar(TypeId::kFloat64);
  return scalar(TypeId::kUtf8);
}

bool append_value(const Statement& row, int column, const Type& type, ColumnBuilder& out) {
  const int stored = row.type(column);
  if (stored == SQLITE_NULL) return out.append_null(), true;
  switch (type.id) {
    case TypeId::kInt64:
      if (stored != SQLITE_INTEGER) return false;
      static_cast<Int64Builder&>(out).append(row.integer(column));
      return true;
    case TypeId::kBool:
      if (stored != SQLITE_INTEGER || (row.integer(column) & ~int64_t{1}) != 0) return false;
      static_cast<BoolBuilder&>(out).append(row.integer(column) != 0);
      return true;
    case TypeId::kFloat64:
      if (stored != SQLITE_FLOAT && stored != SQLITE_INTEGER) return false;
      static_cast<Float64Builder&>(out).append(row.real(column));
      return true;
    case TypeId::kBinary:
      static_cast<BinaryBuilder&>(out).append(row.bytes(column));
      return true;
    default:
      break;
  }
  if (stored == SQLITE_FLOAT) return append_real(row.real(column), static_cast<Utf8Builder&>(out));
  // Whole numbers in a text column read as their text, as SQLite itself would give them.
  const std::string_view text = row.bytes(column);
  if (stored == SQLITE_BLOB || !is_utf8(text)) return false;
  static_cast<Utf8Builder&>(out).append(text);
  return true;
}

}  // namespace patchbay
