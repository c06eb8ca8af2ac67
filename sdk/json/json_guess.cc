// A schema from a sample of records.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/json_records.h"

namespace patchbay {
namespace {

namespace dom = simdjson::dom;

constexpr int64_t kExact = int64_t{1} << 53;  // below it float64 holds every integer
constexpr int kDeepest = 16;  // levels of structs and lists; below them it is JSON text

// What is known of a value so far. A null tells nothing, an empty list that it is one, and an empty
// object that it is one.
struct Guess {
  enum class Kind { kNothing, kScalar, kList, kObject, kJson };
  Kind kind = Kind::kNothing;
  Type scalar_type;
  std::vector<Guess> inner;        // one of a list's items, one for each member of an object
  std::vector<std::string> names;  // of the members
  bool wide = false;               // of integers, one that float64 does not hold

  void merge(Guess other);
  Guess& member(std::string_view name);
  Type type() const;
  std::vector<Field> fields() const;
};

using Kind = Guess::Kind;

Guess& Guess::member(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return inner[static_cast<size_t>(found - names.begin())];
  names.emplace_back(name);
  return inner.emplace_back();
}

// Of two scalars; nothing where no type has both.
std::optional<Type> wider(const Type& a, const Type& b) {
  if (a == b) return a;
  const auto integer = [](const Type& type) {
    return type.id == TypeId::kInt64 || type.id == TypeId::kUint64 ||
           type.id == TypeId::kDecimal128;
  };
  const auto number = [&](const Type& type) {
    return integer(type) || type.id == TypeId::kFloat64;
  };
  if (integer(a) && integer(b)) return decimal(20, 0);  // holds both exactly
  if (number(a) && number(b)) return scalar(TypeId::kFloat64);
  return std::nullopt;
}

void Guess::merge(Guess other) {
  if (other.kind == Kind::kNothing) return;
  if (kind == Kind::kNothing) {
    *this = std::move(other);
  } else if (kind != other.kind || kind == Kind::kJson) {
    *this = {Kind::kJson, {}, {}, {}};
  } else if (kind == Kind::kList) {
    inner[0].merge(std::move(other.inner[0]));
  } else if (kind == Kind::kObject) {
    for (size_t i = 0; i < other.names.size(); ++i)
      member(other.names[i]).merge(std::move(other.inner[i]));
  } else {
    wide = wide || other.wide;
    auto both = wider(scalar_type, other.scalar_type);
    if (both && both->id == TypeId::kFloat64 && wide) both = std::nullopt;
    *this = both ? Guess{Kind::kScalar, *both, {}, {}, wide} : Guess{Kind::kJson, {}, {}, {}};
  }
}

std::vector<Field> Guess::fields() const {
  std::vector<Field> out;
  for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], inner[i].type(), true});
  return out;
}

Type Guess::type() const {
  switch (kind) {
    case Kind::kNothing:
      return scalar(TypeId::kUtf8);
    case Kind::kScalar:
      return scalar_type;
    case Kind::kList:
      return list_of(inner[0].type());
    case Kind::kObject:
      return names.empty() ? json_text() : struct_of(fields());
    case Kind::kJson:
      break;
  }
  return json_text();
}

Guess guess_value(dom::element value, int depth);

Guess guess_object(dom::object object, int depth) {
  Guess out{Kind::kObject, {}, {}, {}};
  for (const auto& member : object) {
    // No column can have such a name: where it is read, its record is refused.
    if (std::string_view(member.key).find('\0') != std::string_view::npos) continue;
    out.member(member.key).merge(guess_value(member.value, depth));
  }
  return out;
}

Guess guess_list(dom::array array, int depth) {
  Guess out{Kind::kList, {}, {Guess()}, {}};
  for (const dom::element one : array) out.inner[0].merge(guess_value(one, depth));
  return out;
}

Guess guess_value(dom::element value, int depth) {
  const auto one = [](TypeId id) { return Guess{Kind::kScalar, scalar(id), {}, {}}; };
  switch (value.type()) {
    case dom::element_type::STRING:
      return one(TypeId::kUtf8);
    case dom::element_type::BOOL:
      return one(TypeId::kBool);
    case dom::element_type::INT64: {
      const int64_t number = value.get_int64();
      return {Kind::kScalar, scalar(TypeId::kInt64), {}, {}, std::abs(number / 2) >= kExact / 2};
    }
    case dom::element_type::UINT64:
      return {Kind::kScalar, scalar(TypeId::kUint64), {}, {}, true};
    case dom::element_type::DOUBLE:
      return one(TypeId::kFloat64);
    case dom::element_type::NULL_VALUE:
      return {};
    default:
      break;
  }
  if (depth > kDeepest) return {Kind::kJson, {}, {}, {}};
  return value.is_array() ? guess_list(value.get_array(), depth + 1)
                          : guess_object(value.get_object(), depth + 1);
}

void see_records(Guess& all, dom::element value) {
  if (value.is_object()) return all.merge(guess_object(value.get_object(), 1));
  if (!value.is_array()) return;
  for (const dom::element record : value.get_array()) {
    if (record.is_object()) all.merge(guess_object(record.get_object(), 1));
  }
}

}  // namespace

struct JsonGuess::State {
  Guess guess;
  dom::parser parser;
};

JsonGuess::JsonGuess() : state_(std::make_unique<State>()) {}
JsonGuess::~JsonGuess() = default;

void JsonGuess::see(std::string_view record) {
  dom::element root;
  if (!state_->parser.parse(record.data(), record.size()).get(root))
    see_records(state_->guess, root);
}

std::vector<Field> JsonGuess::fields() const { return state_->guess.fields(); }

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
  Guess guess;
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
  see_records(guess, root);
  return guess.fields();
}

}  // namespace patchbay
