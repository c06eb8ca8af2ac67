#include "result_type.h"

#include <array>
#include <set>
#include <string_view>

#include "patchbay/config.h"

namespace patchbay {
namespace {

struct Spelling {
  std::string_view format, name;
};
// Arrow formats and the engine's names for them. The second part arrives in a form that patchbay
// does not move: such a column is cast to the type named.
constexpr std::array kSame{
    Spelling{"b", "BOOLEAN"},     Spelling{"c", "TINYINT"},   Spelling{"C", "UTINYINT"},
    Spelling{"s", "SMALLINT"},    Spelling{"S", "USMALLINT"}, Spelling{"i", "INTEGER"},
    Spelling{"I", "UINTEGER"},    Spelling{"l", "BIGINT"},    Spelling{"L", "UBIGINT"},
    Spelling{"f", "FLOAT"},       Spelling{"g", "DOUBLE"},    Spelling{"u", "VARCHAR"},
    Spelling{"z", "BLOB"},        Spelling{"tdD", "DATE"},    Spelling{"ttu", "TIME"},
    Spelling{"tsu:", "TIMESTAMP"}};
constexpr std::array kForeign{Spelling{"tss:", "TIMESTAMP"}, Spelling{"tsm:", "TIMESTAMP"},
                              Spelling{"tsn:", "TIMESTAMP"}, Spelling{"n", "VARCHAR"},
                              Spelling{"ttn", "TIME"}};
// Types that the engine hands over as something else than they are.
constexpr std::array kByName{Spelling{"HUGEINT", "BIGINT"}, Spelling{"UHUGEINT", "DECIMAL(38,0)"},
                             Spelling{"BIT", "VARCHAR"}, Spelling{"BIGNUM", "DECIMAL(38,0)"}};

// The type as SQL. Sets `cast` where values must be cast to it first.
class TypeText {
 public:
  TypeText(std::string column, bool& cast) : column_(std::move(column)), cast_(cast) {}

  std::string of(const ArrowSchema& node) const {
    if (node.dictionary) return foreign("VARCHAR");
    const std::string_view format = node.format;
    for (const auto& same : kSame) {
      if (same.format == format) return std::string(same.name);
    }
    for (const auto& other : kForeign) {
      if (other.format == format) return foreign(other.name);
    }
    if (format.starts_with("tsu:")) return "TIMESTAMP WITH TIME ZONE";
    if (format.starts_with("d:")) return decimal_text(format);
    if (format == "+l") return of(*node.children[0]) + "[]";
    if (format.starts_with("+w:")) return foreign(of(*node.children[0]) + "[]");
    if (format == "+s") return struct_text(node);
    if (format == "+m") unsupported("a map", "take its entries apart with map_entries");
    if (format == "tin") unsupported("an interval", "cast it to varchar, or take epoch of it");
    unsupported("of the Arrow format " + std::string(format), "cast it to another type");
  }

 private:
  std::string foreign(std::string_view name) const {
    cast_ = true;
    return std::string(name);
  }
  static std::string decimal_text(std::string_view format) {
    const size_t comma = format.find(','), second = format.find(',', comma + 1);
    return "DECIMAL(" + std::string(format.substr(2, second - 2)) + ")";
  }
  std::string struct_text(const ArrowSchema& node) const {
    std::string text = "STRUCT(";
    for (int64_t i = 0; i < node.n_children; ++i) {
      text +=
          (i > 0 ? ", " : "") + quoted_name(node.children[i]->name) + " " + of(*node.children[i]);
    }
    return text + ")";
  }
  [[noreturn]] void unsupported(const std::string& what, const std::string& remedy) const {
    throw Error(Code::kConfig,
                column_ + " is " + what + ", which patchbay does not move; " + remedy);
  }

  const std::string column_;
  bool& cast_;
};

// Without time zone data the engine names the zone Etc/UTC.
void settle_zone(Type& type) {
  if (type.id == TypeId::kTimestamp && !type.timezone.empty()) type.timezone = "UTC";
  for (auto& field : type.fields) settle_zone(field.type);
}

Type parse_cast(const std::string& text, const ArrowSchema& node) {
  if (text == "BIGINT") return scalar(TypeId::kInt64);
  if (text == "VARCHAR") return scalar(TypeId::kUtf8);
  if (text == "TIME") return scalar(TypeId::kTime64);
  if (text == "TIMESTAMP") return timestamp("");
  if (text == "DECIMAL(38,0)") return decimal(38, 0);
  Type type;
  type.id = text.ends_with("[]") ? TypeId::kList : TypeId::kStruct;
  for (int64_t i = 0; i < node.n_children; ++i) {
    bool ignored = false;
    const std::string member = TypeText("", ignored).of(*node.children[i]);
    Field field{node.children[i]->name, {}, true};
    if (ignored) {
      field.type = parse_cast(member, *node.children[i]);
    } else {
      ArrowSchema one = *node.children[i];
      ArrowSchema* pointer = &one;
      ArrowSchema wrapper{"+s", "", nullptr, 0, 1, &pointer, nullptr, nullptr, nullptr};
      field.type = import_schema(wrapper).fields[0].type;
    }
    type.fields.push_back(std::move(field));
  }
  return type;
}

Type import_type(const ArrowSchema& node) {
  ArrowSchema one = node;
  ArrowSchema* pointer = &one;
  const ArrowSchema wrapper{"+s", "", nullptr, 0, 1, &pointer, nullptr, nullptr, nullptr};
  return import_schema(wrapper).fields[0].type;
}

}  // namespace

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

Result result_of(const std::string& origin, const std::string& sql, const ArrowSchema& arrow,
                 const std::vector<ResultColumn>& columns) {
  Result result;
  std::set<std::string> names;
  std::string list;
  bool any_cast = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string column = origin + ": column " + columns[i].name;
    const ArrowSchema& node = *arrow.children[i];
    if (!names.insert(columns[i].name).second) {
      throw Error(Code::kConfig, column + " comes twice; name one of them otherwise with AS");
    }
    bool cast = false;
    std::string type = TypeText(column, cast).of(node);
    for (const auto& other : kByName) {
      if (other.format != columns[i].engine_type) continue;
      type = other.name;
      cast = true;
    }
    if (columns[i].engine_type == "TIME WITH TIME ZONE") {
      throw Error(Code::kConfig, column +
                                     " is a time with a zone, which patchbay does not move; "
                                     "cast it to time");
    }
    Field field{columns[i].name, cast ? parse_cast(type, node) : import_type(node), true};
    settle_zone(field.type);
    field.type.json = columns[i].engine_type == "JSON";
    result.schema.fields.push_back(std::move(field));
    const std::string name = quoted_name(columns[i].name);
    list += (i > 0 ? ", " : "") + (cast ? "CAST(" + name + " AS " + type + ") AS " + name : name);
    any_cast |= cast;
  }
  result.sql = any_cast ? "SELECT " + list + " FROM (\n" + sql + "\n)" : sql;
  result.lines_before = any_cast ? 1 : 0;
  return result;
}

}  // namespace patchbay
