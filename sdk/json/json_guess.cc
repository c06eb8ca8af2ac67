// A schema from a sample of records.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "patchbay/json_records.h"

namespace patchbay {
namespace {

namespace dom = simdjson::dom;

constexpr int kDeepest = 16;  // levels of structs and lists; below them it is JSON text

// Nothing = only nulls so far.
using Guess = std::optional<Type>;

Guess merge(const Guess& a, const Guess& b);

Guess guess_value(dom::element value, int depth);

// Members of objects, with what is known of each so far.
struct Shape {
  std::vector<std::string> names;
  std::vector<Guess> types;

  void see(dom::object object, int depth) {
    for (const auto& member : object) {
      const std::string name(member.key);
      size_t i = 0;
      while (i < names.size() && names[i] != name) ++i;
      if (i == names.size()) {
        names.push_back(name);
        types.emplace_back();
      }
      types[i] = merge(types[i], guess_value(member.value, depth));
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
  const auto integer = [&](const Guess& guess) {
    return is(guess, TypeId::kInt64) || is(guess, TypeId::kUint64) ||
           is(guess, TypeId::kDecimal128);
  };
  const auto number = [&](const Guess& guess) {
    return integer(guess) || is(guess, TypeId::kFloat64);
  };
  if (integer(a) && integer(b)) return decimal(20, 0);  // holds both exactly
  if (number(a) && number(b)) return scalar(TypeId::kFloat64);
  if (is(a, TypeId::kStruct) && is(b, TypeId::kStruct)) return merge_structs(*a, *b);
  if (is(a, TypeId::kList) && is(b, TypeId::kList))
    return list_of(*merge(a->fields[0].type, b->fields[0].type));
  return json_text();
}

Guess guess_list(dom::array array, int depth) {
  Guess item;
  for (const dom::element one : array) item = merge(item, guess_value(one, depth));
  return item ? Guess(list_of(*item)) : Guess();
}

Guess guess_value(dom::element value, int depth) {
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
      return depth > kDeepest ? json_text() : guess_list(value.get_array(), depth + 1);
    case dom::element_type::OBJECT:
      break;
  }
  if (depth > kDeepest) return json_text();
  Shape shape;
  shape.see(value.get_object(), depth + 1);
  if (shape.names.empty()) return json_text();
  return struct_of(shape.fields());
}

void see_records(Shape& shape, dom::element value) {
  if (value.is_object()) return shape.see(value.get_object(), 1);
  if (!value.is_array()) return;
  for (const dom::element record : value.get_array()) {
    if (record.is_object()) shape.see(record.get_object(), 1);
  }
}

}  // namespace

struct JsonGuess::State {
  Shape shape;
  dom::parser parser;
};

JsonGuess::JsonGuess() : state_(std::make_unique<State>()) {}
JsonGuess::~JsonGuess() = default;

void JsonGuess::see(std::string_view record) {
  dom::element root;
  if (!state_->parser.parse(record.data(), record.size()).get(root))
    see_records(state_->shape, root);
}

std::vector<Field> JsonGuess::fields() const { return state_->shape.fields(); }

std::optional<std::vector<Field>> guess_json_fields(const std::string& text, const RecordsAt& at) {
  if (at.lines) {
    JsonGuess guess;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      guess.see(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    return guess.fields();
  }
  Shape shape;
  dom::parser parser;
  dom::element root;
  if (parser.parse(text).get(root)) return std::nullopt;
  for (const auto& key : at.path) {
    dom::array array;
    size_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool item =
        !root.get_array().get(array) && error == std::errc() && end == key.data() + key.size();
    if (item ? array.at(index).get(root) : root.at_key(key).get(root)) return std::vector<Field>();
  }
  see_records(shape, root);
  return shape.fields();
}

}  // namespace patchbay
