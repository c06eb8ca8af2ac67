// A schema from a sample of records.
#include <simdjson.h>

#include <optional>

#include "patchbay/json_records.h"

namespace patchbay {
namespace {

namespace dom = simdjson::dom;

// Nothing = only nulls so far.
using Guess = std::optional<Type>;

Guess merge(const Guess& a, const Guess& b);

Guess guess_value(dom::element value);

// Members of objects, with what is known of each so far.
struct Shape {
  std::vector<std::string> names;
  std::vector<Guess> types;

  void see(dom::object object) {
    for (const auto& member : object) {
      const std::string name(member.key);
      size_t i = 0;
      while (i < names.size() && names[i] != name) ++i;
      if (i == names.size()) {
        names.push_back(name);
        types.emplace_back();
      }
      types[i] = merge(types[i], guess_value(member.value));
    }
  }
  std::vector<Field> fields() const {
    std::vector<Field> out;
    for (size_t i = 0; i < names.size(); ++i) {
      out.push_back({names[i], types[i].value_or(scalar(TypeId::kUtf8)), true});
    }
    return out;
  }
};

Guess merge_structs(const Type& a, const Type& b) {
  Type out = a;
  for (const auto& field : b.fields) {
    bool found = false;
    for (auto& own : out.fields) {
      if (own.name != field.name) continue;
      own.type = *merge(own.type, field.type);
      found = true;
    }
    if (!found) out.fields.push_back(field);
  }
  return out;
}

Guess merge(const Guess& a, const Guess& b) {
  if (!a || !b) return a ? a : b;
  if (*a == *b) return a;
  const auto is = [](const Guess& guess, TypeId id) { return guess->id == id && !guess->json; };
  const bool numbers = (is(a, TypeId::kInt64) || is(a, TypeId::kFloat64)) &&
                       (is(b, TypeId::kInt64) || is(b, TypeId::kFloat64));
  if (numbers) return scalar(TypeId::kFloat64);
  if (is(a, TypeId::kStruct) && is(b, TypeId::kStruct)) return merge_structs(*a, *b);
  if (is(a, TypeId::kList) && is(b, TypeId::kList))
    return list_of(*merge(a->fields[0].type, b->fields[0].type));
  return json_text();
}

Guess guess_list(dom::array array) {
  Guess item;
  for (const dom::element one : array) item = merge(item, guess_value(one));
  return item ? Guess(list_of(*item)) : Guess();
}

Guess guess_value(dom::element value) {
  switch (value.type()) {
    case dom::element_type::STRING:
      return scalar(TypeId::kUtf8);
    case dom::element_type::BOOL:
      return scalar(TypeId::kBool);
    case dom::element_type::INT64:
      return scalar(TypeId::kInt64);
    case dom::element_type::UINT64:
      return scalar(TypeId::kUint64);
    case dom::element_type::DOUBLE:
      return scalar(TypeId::kFloat64);
    case dom::element_type::NULL_VALUE:
      return std::nullopt;
    case dom::element_type::ARRAY:
      return guess_list(value.get_array());
    case dom::element_type::OBJECT:
      break;
  }
  Shape shape;
  shape.see(value.get_object());
  if (shape.names.empty()) return json_text();
  return struct_of(shape.fields());
}

void see_records(Shape& shape, dom::element value) {
  if (value.is_object()) return shape.see(value.get_object());
  if (!value.is_array()) return;
  for (const dom::element record : value.get_array()) {
    if (record.is_object()) shape.see(record.get_object());
  }
}

}  // namespace

std::vector<Field> guess_json_fields(const std::string& text, const RecordsAt& at) {
  Shape shape;
  dom::parser parser;
  dom::element root;
  if (!at.lines) {
    if (parser.parse(text).get(root)) return {};
    for (const auto& key : at.path) {
      if (root.at_key(key).get(root)) return {};
    }
    see_records(shape, root);
    return shape.fields();
  }
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (!parser.parse(text.data() + begin, end - begin).get(root)) see_records(shape, root);
    begin = end + 1;
  }
  return shape.fields();
}

}  // namespace patchbay
