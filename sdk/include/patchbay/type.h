// Types and schemas of streams: the subset of Arrow that patchbay moves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/abi.h"

namespace Json {
class Value;
}

namespace patchbay {

__extension__ typedef __int128 Int128;  // a decimal's unscaled value

enum class TypeId : uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat32,
  kFloat64,
  kDecimal128,
  kUtf8,
  kBinary,
  kDate32,
  kTime64,
  kTimestamp,
  kList,
  kStruct,
};  // kTime64 and kTimestamp count microseconds

struct Field;

struct Type {
  TypeId id = TypeId::kUtf8;
  int32_t precision = 0;      // kDecimal128: 1 to 38 digits in all
  int32_t scale = 0;          // kDecimal128: digits after the point
  std::string timezone;       // kTimestamp: IANA name or "UTC"; empty = local time without a zone
  bool json = false;          // kUtf8 holding one JSON value: the extension arrow.json
  std::vector<Field> fields;  // kStruct: the members; kList: exactly one, the item

  bool operator==(const Type&) const;
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;

  bool operator==(const Field&) const = default;
};

inline bool Type::operator==(const Type&) const = default;

Type scalar(TypeId id);
Type decimal(int32_t precision, int32_t scale);
Type timestamp(std::string timezone);  // "UTC", an IANA name, or empty
Type json_text();                      // utf8 with the extension arrow.json
Type list_of(Type item);
Type struct_of(std::vector<Field> fields);

// A stream's schema. `keys` name the columns that identify a row, where the source knows them; they
// travel as the schema's metadata `patchbay.keys`. A stream by reference has no rows: `reference`
// tells where they are, as a JSON object whose member `system` names who reads it; it travels as
// `patchbay.reference`. Only components whose manifest says `references` give or get such streams.
struct Schema {
  std::string name;
  std::vector<Field> fields;
  std::vector<std::string> keys;
  std::string reference = {};

  int index_of(std::string_view field) const;  // -1 where there is none
  bool operator==(const Schema&) const = default;
};
using SchemaPtr = std::shared_ptr<const Schema>;

// The Arrow name: int64, timestamp[us, UTC], decimal128(10, 2), list<utf8>, struct<id: int64, name:
// utf8>, arrow.json.
std::string type_name(const Type& type);
// The inverse, also of nested names. Also accepts timestamp (= [us, UTC]), decimal(10,2), json,
// string, date. Throws Error kConfig naming the text and the nearest known name.
Type parse_type(std::string_view name);

// A stream description as discover and bind put it:
// {"name": "responses", "fields": [{"name": "id", "type": "int64", "nullable": true}, ..], "keys":
// ["id"]}.
Json::Value to_json(const Schema& schema);
Schema schema_from_json(const Json::Value& description);

// Fills `out`, which the caller releases. Throws Error kData for a type that patchbay does not
// move, with its path.
void export_schema(const Schema& schema, ArrowSchema* out);
Schema import_schema(const ArrowSchema& in);

// The schema of a stream of files, patchbay.object/1: see object.h for its columns.
inline constexpr std::string_view kObjectSchemaKey = "patchbay.object/1";

}  // namespace patchbay
