// Type names and their parser: int64, timestamp[us, UTC], list<struct<id: int64>>.
#include <array>
#include <charconv>
#include <utility>

#include "patchbay/error.h"
#include "patchbay/suggest.h"
#include "patchbay/type.h"

namespace patchbay {
namespace {

struct ScalarName {
  std::string_view name;
  TypeId id;
};

// The first name of an id is the one that is printed.
constexpr std::array kScalars{
    ScalarName{"bool", TypeId::kBool},         ScalarName{"int8", TypeId::kInt8},
    ScalarName{"int16", TypeId::kInt16},       ScalarName{"int32", TypeId::kInt32},
    ScalarName{"int64", TypeId::kInt64},       ScalarName{"uint8", TypeId::kUint8},
    ScalarName{"uint16", TypeId::kUint16},     ScalarName{"uint32", TypeId::kUint32},
    ScalarName{"uint64", TypeId::kUint64},     ScalarName{"float32", TypeId::kFloat32},
    ScalarName{"float64", TypeId::kFloat64},   ScalarName{"utf8", TypeId::kUtf8},
    ScalarName{"binary", TypeId::kBinary},     ScalarName{"date32", TypeId::kDate32},
    ScalarName{"time64[us]", TypeId::kTime64}, ScalarName{"string", TypeId::kUtf8},
    ScalarName{"date", TypeId::kDate32},       ScalarName{"time", TypeId::kTime64},
    ScalarName{"int", TypeId::kInt64},         ScalarName{"float", TypeId::kFloat64},
    ScalarName{"double", TypeId::kFloat64}};

std::string fields_text(const std::vector<Field>& fields) {
  std::string text;
  for (const auto& field : fields) {
    if (!text.empty()) text += ", ";
    text += field.name + ": " + type_name(field.type);
  }
  return text;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), rest_(text) {}

  Type parse_all() {
    Type type = parse();
    skip_spaces();
    if (!rest_.empty()) fail();
    return type;
  }

 private:
  [[noreturn]] void fail() const { fail(whole_); }
  [[noreturn]] void fail(std::string_view part) const {
    std::vector<std::string> known{"timestamp[us, UTC]", "decimal128(10, 2)", "json", "list<utf8>"};
    for (const auto& scalar : kScalars) known.emplace_back(scalar.name);
    throw Error(Code::kConfig,
                "type " + std::string(whole_) + ": unknown" + did_you_mean(part, known));
  }
  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail();
  }
  std::string_view until(std::string_view ends) {
    const size_t end = std::min(rest_.find_first_of(ends), rest_.size());
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
  }
  int32_t number() {
    skip_spaces();
    int32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) fail();
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  Type parse() {
    if (++depth_ > 64) fail();
    Type type = parse_one();
    --depth_;
    return type;
  }
  Type parse_one() {
    if (take("list<")) return parse_list();
    if (take("struct<")) return parse_struct();
    if (take("decimal128(") || take("decimal(")) return parse_decimal();
    if (take("timestamp")) return parse_timestamp();
    if (take("arrow.json") || take("json")) return json_text();
    return parse_scalar();
  }
  Type parse_list() {
    Type item = parse();
    expect(">");
    return list_of(std::move(item));
  }
  Type parse_struct() {
    std::vector<Field> fields;
    while (!take(">")) {
      if (!fields.empty()) expect(",");
      std::string name(until(":"));
      expect(":");
      fields.push_back({std::move(name), parse(), true});
    }
    return struct_of(std::move(fields));
  }
  Type parse_decimal() {
    const int32_t precision = number();
    const int32_t scale = take(",") ? number() : 0;
    expect(")");
    return decimal(precision, scale);
  }
  Type parse_timestamp() {
    if (!take("[")) return timestamp("UTC");
    expect("us");
    std::string zone = take(",") ? std::string(until("]")) : "";
    expect("]");
    return timestamp(std::move(zone));
  }
  Type parse_scalar() {
    const std::string_view name = until("<>,()");
    for (const auto& scalar_name : kScalars) {
      if (name == scalar_name.name) return scalar(scalar_name.id);
    }
    fail(depth_ > 1 ? name : whole_);
  }

  std::string_view whole_;
  std::string_view rest_;
  int depth_ = 0;
};

}  // namespace

std::string type_name(const Type& type) {
  switch (type.id) {
    case TypeId::kDecimal128:
      return "decimal128(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) +
             ")";
    case TypeId::kTimestamp:
      return type.timezone.empty() ? "timestamp[us]" : "timestamp[us, " + type.timezone + "]";
    case TypeId::kList:
      return "list<" + type_name(type.fields.at(0).type) + ">";
    case TypeId::kStruct:
      return "struct<" + fields_text(type.fields) + ">";
    case TypeId::kUtf8:
      if (type.json) return "arrow.json";
      break;
    default:
      break;
  }
  for (const auto& scalar_name : kScalars) {
    if (scalar_name.id == type.id) return std::string(scalar_name.name);
  }
  return "unknown";
}

Type parse_type(std::string_view name) { return Parser(name).parse_all(); }

}  // namespace patchbay
