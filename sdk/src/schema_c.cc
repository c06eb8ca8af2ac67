// Schemas across the Arrow C Data Interface:
// https://arrow.apache.org/docs/format/CDataInterface.html
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "patchbay/error.h"
#include "patchbay/type.h"

namespace patchbay {
namespace {

constexpr std::string_view kKeys = "patchbay.keys";
constexpr std::string_view kReference = "patchbay.reference";
constexpr std::string_view kExtension = "ARROW:extension:name";
constexpr std::string_view kExtensionMetadata = "ARROW:extension:metadata";
constexpr int kDeepest = 64;

struct FormatOf {
  TypeId id;
  std::string_view format;
};
constexpr std::array kFormats{FormatOf{TypeId::kBool, "b"},     FormatOf{TypeId::kInt8, "c"},
                              FormatOf{TypeId::kUint8, "C"},    FormatOf{TypeId::kInt16, "s"},
                              FormatOf{TypeId::kUint16, "S"},   FormatOf{TypeId::kInt32, "i"},
                              FormatOf{TypeId::kUint32, "I"},   FormatOf{TypeId::kInt64, "l"},
                              FormatOf{TypeId::kUint64, "L"},   FormatOf{TypeId::kFloat32, "f"},
                              FormatOf{TypeId::kFloat64, "g"},  FormatOf{TypeId::kUtf8, "u"},
                              FormatOf{TypeId::kBinary, "z"},   FormatOf{TypeId::kDate32, "tdD"},
                              FormatOf{TypeId::kTime64, "ttu"}, FormatOf{TypeId::kList, "+l"},
                              FormatOf{TypeId::kStruct, "+s"}};

std::string format_of(const Type& type) {
  if (type.id == TypeId::kTimestamp) return "tsu:" + type.timezone;
  if (type.id == TypeId::kDecimal128) {
    return "d:" + std::to_string(type.precision) + "," + std::to_string(type.scale);
  }
  for (const auto& entry : kFormats) {
    if (entry.id == type.id) return std::string(entry.format);
  }
  throw Error(Code::kInternal, "no Arrow format for " + type_name(type));
}

void put_int(std::string& out, size_t value) {
  const auto n = static_cast<int32_t>(value);
  out.append(reinterpret_cast<const char*>(&n), sizeof n);
}

std::string encode_metadata(const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) return {};
  std::string out;
  put_int(out, pairs.size());
  for (const auto& [key, value] : pairs) {
    put_int(out, key.size());
    out += key;
    put_int(out, value.size());
    out += value;
  }
  return out;
}

std::optional<std::string> find_metadata(const char* metadata, std::string_view wanted) {
  if (!metadata) return std::nullopt;
  const auto take_int = [&] {
    int32_t n;
    std::memcpy(&n, metadata, sizeof n);
    metadata += sizeof n;
    return n;
  };
  const auto take_text = [&] {
    const auto size = static_cast<size_t>(std::max(0, take_int()));
    std::string_view text(metadata, size);
    metadata += size;
    return text;
  };
  for (int32_t left = take_int(); left > 0; --left) {
    const std::string_view key = take_text(), value = take_text();
    if (key == wanted) return std::string(value);
  }
  return std::nullopt;
}

struct Owned {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void release(ArrowSchema* schema) {
  auto* owned = static_cast<Owned*>(schema->private_data);
  for (auto* child : owned->pointers) {
    if (child->release) child->release(child);
  }
  delete owned;
  schema->release = nullptr;
}

void export_node(std::string format, std::string name, bool nullable, std::string metadata,
                 const std::vector<Field>& children, ArrowSchema* out);

void export_field(const Field& field, ArrowSchema* out) {
  std::string metadata;
  if (field.type.json) {
    metadata = encode_metadata(
        {{std::string(kExtension), "arrow.json"}, {std::string(kExtensionMetadata), ""}});
  }
  export_node(format_of(field.type), field.name, field.nullable, std::move(metadata),
              field.type.fields, out);
}

void export_node(std::string format, std::string name, bool nullable, std::string metadata,
                 const std::vector<Field>& children, ArrowSchema* out) {
  auto owned = std::make_unique<Owned>();
  owned->format = std::move(format);
  owned->name = std::move(name);
  owned->metadata = std::move(metadata);
  owned->children.resize(children.size());
  for (size_t i = 0; i < children.size(); ++i) {
    export_field(children[i], &owned->children[i]);
    owned->pointers.push_back(&owned->children[i]);
  }
  *out = {owned->format.c_str(),
          owned->name.c_str(),
          owned->metadata.empty() ? nullptr : owned->metadata.data(),
          nullable ? ARROW_FLAG_NULLABLE : 0,
          static_cast<int64_t>(children.size()),
          owned->pointers.data(),
          nullptr,
          release,
          owned.release()};
}

std::string keys_text(const std::vector<std::string>& keys) {
  std::string text;
  for (const auto& key : keys) text += (text.empty() ? "" : "\n") + key;
  return text;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Field import_field(const ArrowSchema& in, const std::string& path, int depth);

[[noreturn]] void unsupported(const std::string& path, std::string_view format) {
  throw Error(Code::kData,
              path + ": Arrow format " + std::string(format) + " is not among patchbay's types");
}

std::vector<Field> import_children(const ArrowSchema& in, const std::string& path, int depth) {
  if (depth > kDeepest)
    throw Error(Code::kData, path + ": nested deeper than " + std::to_string(kDeepest));
  if (in.n_children < 0 || (in.n_children > 0 && !in.children)) {
    throw Error(Code::kData, path + ": Arrow schema without its children");
  }
  std::vector<Field> fields;
  for (int64_t i = 0; i < in.n_children; ++i) {
    if (!in.children[i]) throw Error(Code::kData, path + ": Arrow schema with a missing child");
    fields.push_back(import_field(*in.children[i], path, depth + 1));
  }
  return fields;
}

Type import_decimal(const std::string& path, std::string_view format) {
  std::array<int32_t, 3> numbers{0, -1, 128};  // precision, scale, bits
  const char* at = format.data() + 2;
  const char* const end = format.data() + format.size();
  for (auto& number : numbers) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) unsupported(path, format);
    at = next;
    if (at == end || *at++ != ',') break;
  }
  const auto [precision, scale, bits] = numbers;
  if (at != end || bits != 128 || precision < 1 || precision > 38 || scale < 0 ||
      scale > precision) {
    unsupported(path, format);
  }
  return decimal(precision, scale);
}

Type import_type(const ArrowSchema& in, const std::string& path, int depth) {
  const std::string_view format = in.format ? in.format : "";
  if (in.dictionary)
    throw Error(Code::kData, path + ": dictionary encoding is not among patchbay's types");
  if (format.starts_with("tsu:")) return timestamp(std::string(format.substr(4)));
  if (format.starts_with("d:")) return import_decimal(path, format);
  for (const auto& entry : kFormats) {
    if (entry.format != format) continue;
    Type type = scalar(entry.id);
    type.fields = import_children(in, path, depth);
    if (type.id != TypeId::kList && type.id != TypeId::kStruct && !type.fields.empty())
      unsupported(path, std::string(format) + " with children");
    if (type.id == TypeId::kList && type.fields.size() != 1)
      unsupported(path, "+l without an item");
    if (type.id == TypeId::kUtf8)
      type.json = find_metadata(in.metadata, kExtension) == "arrow.json";
    return type;
  }
  unsupported(path, format);
}

Field import_field(const ArrowSchema& in, const std::string& path, int depth) {
  const std::string name = in.name ? in.name : "";
  const std::string own = path.empty() ? name : path + "." + name;
  return {name, import_type(in, own, depth), (in.flags & ARROW_FLAG_NULLABLE) != 0};
}

}  // namespace

namespace {

// Names end at their first NUL there: it would become another name.
void refuse_nul(const std::string& stream, const std::vector<Field>& fields) {
  for (const auto& field : fields) {
    if (field.name.find('\0') != std::string::npos) {
      throw Error(Code::kData, "stream " + std::string(stream.c_str()) + ": the field " +
                                   std::string(field.name.c_str()) +
                                   ".. has a NUL character in its name; rename it at its source");
    }
    refuse_nul(stream, field.type.fields);
  }
}

}  // namespace

void export_schema(const Schema& schema, ArrowSchema* out) {
  refuse_nul(schema.name, schema.fields);
  if (schema.name.find('\0') != std::string::npos)
    throw Error(Code::kData, "stream " + std::string(schema.name.c_str()) +
                                 "..: has a NUL character in its name");
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!schema.keys.empty()) pairs.emplace_back(kKeys, keys_text(schema.keys));
  if (!schema.reference.empty()) pairs.emplace_back(kReference, schema.reference);
  export_node("+s", schema.name, false, encode_metadata(pairs), schema.fields, out);
}

Schema import_schema(const ArrowSchema& in) {
  if (std::string_view(in.format ? in.format : "") != "+s") {
    throw Error(Code::kData, "schema: a stream's schema is a struct (+s), not " +
                                 std::string(in.format ? in.format : "empty"));
  }
  Schema schema;
  schema.name = in.name ? in.name : "";
  schema.fields = import_children(in, "", 0);
  if (const auto keys = find_metadata(in.metadata, kKeys)) schema.keys = split_lines(*keys);
  schema.reference = find_metadata(in.metadata, kReference).value_or("");
  return schema;
}

}  // namespace patchbay
