#include "arrow_types.h"

#include <arrow/c/bridge.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include "arrow_errors.h"

namespace patchbay {
namespace {

constexpr int kDeepest = 64;  // as deep as streams may be

class ModelTypes {
 public:
  explicit ModelTypes(const std::string& file) : file_(file) {}

  Field field(const arrow::Field& in, const std::string& parent, int depth) const {
    const std::string path = parent.empty() ? in.name() : parent + "." + in.name();
    if (in.name().find('\0') != std::string::npos)
      throw Error(Code::kData, file_ + ": the name of a column has a zero byte in it");
    if (depth > kDeepest)
      throw Error(Code::kData, file_ + ": column " + path + ": is nested deeper than " +
                                   std::to_string(kDeepest));
    return {in.name(), type(*in.type(), path, depth), in.nullable()};
  }

 private:
  Type type(const arrow::DataType& in, const std::string& path, int depth) const {
    switch (in.id()) {
      case arrow::Type::EXTENSION:
        return extension(static_cast<const arrow::ExtensionType&>(in), path, depth);
      case arrow::Type::DICTIONARY:
        return type(*static_cast<const arrow::DictionaryType&>(in).value_type(), path, depth);
      case arrow::Type::STRUCT:
        return struct_of(members(in, path, depth));
      case arrow::Type::LIST:
      case arrow::Type::LARGE_LIST:
      case arrow::Type::FIXED_SIZE_LIST:
      case arrow::Type::LIST_VIEW:
      case arrow::Type::LARGE_LIST_VIEW:
        return list(*in.field(0), path, depth);
      case arrow::Type::MAP: {
        Type entries = struct_of(members(*in.field(0)->type(), path, depth + 1));
        Type map = list_of(std::move(entries));
        map.fields[0].nullable = false;
        return map;
      }
      case arrow::Type::TIMESTAMP:
        return stamp(static_cast<const arrow::TimestampType&>(in).timezone());
      case arrow::Type::DECIMAL32:
      case arrow::Type::DECIMAL64:
      case arrow::Type::DECIMAL128:
      case arrow::Type::DECIMAL256:
        return number(static_cast<const arrow::DecimalType&>(in), path);
      default:
        return plain(in, path);
    }
  }

  Type plain(const arrow::DataType& in, const std::string& path) const {
    switch (in.id()) {
      case arrow::Type::BOOL:
        return scalar(TypeId::kBool);
      case arrow::Type::INT8:
        return scalar(TypeId::kInt8);
      case arrow::Type::INT16:
        return scalar(TypeId::kInt16);
      case arrow::Type::INT32:
        return scalar(TypeId::kInt32);
      case arrow::Type::INT64:
        return scalar(TypeId::kInt64);
      case arrow::Type::UINT8:
        return scalar(TypeId::kUint8);
      case arrow::Type::UINT16:
        return scalar(TypeId::kUint16);
      case arrow::Type::UINT32:
        return scalar(TypeId::kUint32);
      case arrow::Type::UINT64:
        return scalar(TypeId::kUint64);
      case arrow::Type::HALF_FLOAT:
      case arrow::Type::FLOAT:
        return scalar(TypeId::kFloat32);
      case arrow::Type::DOUBLE:
        return scalar(TypeId::kFloat64);
      case arrow::Type::NA:
      case arrow::Type::STRING:
      case arrow::Type::LARGE_STRING:
      case arrow::Type::STRING_VIEW:
        return scalar(TypeId::kUtf8);
      case arrow::Type::BINARY:
      case arrow::Type::LARGE_BINARY:
      case arrow::Type::BINARY_VIEW:
      case arrow::Type::FIXED_SIZE_BINARY:
        return scalar(TypeId::kBinary);
      case arrow::Type::DATE32:
      case arrow::Type::DATE64:
        return scalar(TypeId::kDate32);
      case arrow::Type::TIME32:
      case arrow::Type::TIME64:
        return scalar(TypeId::kTime64);
      default:
        unsupported(in, path);
    }
  }

  [[noreturn]] void unsupported(const arrow::DataType& in, const std::string& path) const {
    throw Error(Code::kData, file_ + ": column " + path + ": type " + in.ToString() +
                                 " has no counterpart in a stream; leave it out with columns");
  }

  // What is not known is what it is stored as.
  Type extension(const arrow::ExtensionType& in, const std::string& path, int depth) const {
    if (in.extension_name() == "arrow.json") return json_text();
    if (in.extension_name() == "arrow.uuid") return scalar(TypeId::kUtf8);
    return type(*in.storage_type(), path, depth);
  }

  std::vector<Field> members(const arrow::DataType& in, const std::string& path, int depth) const {
    std::vector<Field> out;
    for (const auto& member : in.fields()) out.push_back(field(*member, path, depth + 1));
    return out;
  }

  // Files name the items of lists as they please; streams do not.
  Type list(const arrow::Field& item, const std::string& path, int depth) const {
    Type out = list_of(field(item, path, depth + 1).type);
    out.fields[0].nullable = item.nullable();
    return out;
  }

  // An offset is no zone that others know; the instants are the same.
  static Type stamp(const std::string& zone) {
    const bool is_offset = !zone.empty() && (zone[0] == '+' || zone[0] == '-');
    return timestamp(is_offset ? "UTC" : zone);
  }

  Type number(const arrow::DecimalType& in, const std::string& path) const {
    if (in.scale() < 0 || in.scale() > std::min(in.precision(), 38)) unsupported(in, path);
    return decimal(std::min(in.precision(), 38), in.scale());
  }

  const std::string& file_;
};

}  // namespace

Field model_field(const arrow::Field& field, const std::string& file) {
  return ModelTypes(file).field(field, "", 0);
}

std::shared_ptr<arrow::DataType> arrow_type(const Type& type) {
  const auto member = [](const Field& field) {
    return arrow::field(field.name, arrow_type(field.type), field.nullable);
  };
  switch (type.id) {
    case TypeId::kBool:
      return arrow::boolean();
    case TypeId::kInt8:
      return arrow::int8();
    case TypeId::kInt16:
      return arrow::int16();
    case TypeId::kInt32:
      return arrow::int32();
    case TypeId::kInt64:
      return arrow::int64();
    case TypeId::kUint8:
      return arrow::uint8();
    case TypeId::kUint16:
      return arrow::uint16();
    case TypeId::kUint32:
      return arrow::uint32();
    case TypeId::kUint64:
      return arrow::uint64();
    case TypeId::kFloat32:
      return arrow::float32();
    case TypeId::kFloat64:
      return arrow::float64();
    case TypeId::kDecimal128:
      return arrow::decimal128(type.precision, type.scale);
    case TypeId::kUtf8:
      return arrow::utf8();
    case TypeId::kBinary:
      return arrow::binary();
    case TypeId::kDate32:
      return arrow::date32();
    case TypeId::kTime64:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case TypeId::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, type.timezone);
    case TypeId::kList:
      return arrow::list(member(type.fields[0]));
    case TypeId::kStruct:
      break;
  }
  arrow::FieldVector members;
  for (const auto& field : type.fields) members.push_back(member(field));
  return arrow::struct_(std::move(members));
}

std::shared_ptr<arrow::Schema> arrow_schema(const Schema& schema) {
  ArrowSchema c{};
  export_schema(schema, &c);
  return value_of("stream " + schema.name, arrow::ImportSchema(&c));
}

namespace {

// Bits that a whole number needs, its sign apart; 0 = no whole number.
int whole_bits(TypeId id) {
  switch (id) {
    case TypeId::kInt8:
      return 7;
    case TypeId::kUint8:
      return 8;
    case TypeId::kInt16:
      return 15;
    case TypeId::kUint16:
      return 16;
    case TypeId::kInt32:
      return 31;
    case TypeId::kUint32:
      return 32;
    case TypeId::kInt64:
      return 63;
    case TypeId::kUint64:
      return 64;
    default:
      return 0;
  }
}

bool is_unsigned(TypeId id) { return whole_bits(id) > 0 && whole_bits(id) % 8 == 0; }

}  // namespace

bool widens(const Type& from, const Type& to) {
  if (from == to) return true;
  const int bits = whole_bits(from.id), wider = whole_bits(to.id);
  if (bits > 0 && wider > 0) return bits <= wider && (is_unsigned(from.id) || !is_unsigned(to.id));
  if (bits > 0) return to.id == TypeId::kFloat64 && bits <= 32;
  if (from.id == TypeId::kFloat32) return to.id == TypeId::kFloat64;
  if (from.id == TypeId::kDecimal128 && to.id == TypeId::kDecimal128)
    return from.scale <= to.scale && from.precision - from.scale <= to.precision - to.scale;
  return false;
}

}  // namespace patchbay
