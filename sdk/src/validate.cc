#include "patchbay/batch.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

[[noreturn]] void broken(const std::string& path, const std::string& what) {
  throw Error(Code::kData, "array " + path + ": " + what);
}

std::string path_of(const std::string& parent, const Field& field) {
  return parent.empty() ? field.name : parent + "." + field.name;
}

int64_t expected_buffers(const Type& type) {
  switch (type.id) {
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return 3;
    case TypeId::kStruct:
      return 1;
    default:
      return 2;
  }
}

void check_offsets(const std::string& path, const ArrowArray& array, int64_t limit) {
  const auto* offsets = static_cast<const int32_t*>(array.buffers[1]);
  int32_t last = offsets[array.offset];
  if (last < 0) broken(path, "a negative offset");
  for (int64_t i = 1; i <= array.length; ++i) {
    const int32_t next = offsets[array.offset + i];
    if (next < last) broken(path, "offsets that decrease");
    last = next;
  }
  if (limit >= 0 && last > limit) broken(path, "offsets beyond its items");
}

void check_extent(const std::string& path, const ArrowArray& array) {
  if (!array.release) broken(path, "released already");
  if (array.length < 0 || array.offset < 0) broken(path, "a negative length or offset");
  if (array.length > INT64_MAX - 1 - array.offset) broken(path, "offset and length too large");
  if (array.null_count > array.length) broken(path, "more nulls than rows");
}

bool has_nulls(const ArrowArray& array) {
  if (array.null_count >= 0) return array.null_count > 0;
  const auto* bits = array.n_buffers > 0 && array.buffers
                         ? static_cast<const uint8_t*>(array.buffers[0])
                         : nullptr;
  for (int64_t i = array.offset; bits && i < array.offset + array.length; ++i) {
    if (!((bits[i >> 3] >> (i & 7)) & 1)) return true;
  }
  return false;
}

void check_column(const Field& field, const ArrowArray& array, const std::string& parent);

void check_children(const Type& type, const ArrowArray& array, const std::string& path,
                    int64_t rows) {
  if (array.n_children != static_cast<int64_t>(type.fields.size())) {
    broken(path, std::to_string(array.n_children) + " children where the schema has " +
                     std::to_string(type.fields.size()));
  }
  for (size_t i = 0; i < type.fields.size(); ++i) {
    if (!array.children || !array.children[i]) broken(path, "a missing child");
    check_column(type.fields[i], *array.children[i], path);
    if (array.children[i]->length < rows) {
      broken(path_of(path, type.fields[i]), "fewer rows than its parent");
    }
  }
}

void check_column(const Field& field, const ArrowArray& array, const std::string& parent) {
  const std::string path = path_of(parent, field);
  const Type& type = field.type;
  check_extent(path, array);
  if (array.n_buffers != expected_buffers(type) || !array.buffers) {
    broken(path, std::to_string(array.n_buffers) + " buffers where " + type_name(type) + " has " +
                     std::to_string(expected_buffers(type)));
  }
  if (array.null_count > 0 && !array.buffers[0]) broken(path, "nulls without a validity bitmap");
  if (type.id == TypeId::kStruct)
    return check_children(type, array, path, array.offset + array.length);
  if (type.id == TypeId::kList) check_children(type, array, path, 0);
  if (array.length == 0) return;
  if (!array.buffers[1]) broken(path, "no values");
  if (type.id == TypeId::kList) {
    check_offsets(path, array, array.children[0]->length);
  } else if (type.id == TypeId::kUtf8 || type.id == TypeId::kBinary) {
    check_offsets(path, array, -1);
    const auto* offsets = static_cast<const int32_t*>(array.buffers[1]) + array.offset;
    if (!array.buffers[2] && offsets[array.length] > 0) broken(path, "no bytes");
  }
}

}  // namespace

void validate(const Schema& schema, const ArrowArray& array) {
  check_extent(schema.name, array);
  if (has_nulls(array)) broken(schema.name, "nulls at top level");
  check_children(struct_of(schema.fields), array, "", array.offset + array.length);
}

}  // namespace patchbay
