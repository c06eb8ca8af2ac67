#include "json_nodes.h"

#include "patchbay/text_value.h"
#include "patchbay/time.h"

namespace patchbay::json_nodes {
namespace {

[[noreturn]] void misfit(const std::string& path, const Type& expected, od::value& value) {
  throw Misfit{"type", path + ": expected " + type_name(expected) + ", found " + found_name(value)};
}

template <class B>
class ScalarNode : public Node {
 public:
  ScalarNode(const Node* parent, std::string name, const Type& type, B& column)
      : Node(parent, std::move(name)), type_(type), column_(column) {}
  void append_null() override { column_.append_null(); }

 protected:
  const Type type_;
  B& column_;
};

class BoolNode final : public ScalarNode<BoolBuilder> {
 public:
  using ScalarNode::ScalarNode;
  void append(od::value& value) override {
    bool b;
    if (value.get_bool().get(b)) misfit(path(), type_, value);
    column_.append(b);
  }
};

template <class T>
class IntNode final : public ScalarNode<FixedBuilder<T>> {
 public:
  using ScalarNode<FixedBuilder<T>>::ScalarNode;
  void append(od::value& value) override {
    using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    Wide wide;
    simdjson::error_code error;
    if constexpr (std::is_signed_v<T>) {
      error = value.get_int64().get(wide);
    } else {
      error = value.get_uint64().get(wide);
    }
    const bool too_wide =
        error ? std::string_view(found_name(value)) == "int64"
              : wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max();
    if (too_wide)
      throw Misfit{"range", this->path() + ": out of the range of " + type_name(this->type_)};
    if (error) misfit(this->path(), this->type_, value);
    this->column_.append(static_cast<T>(wide));
  }
};

template <class T>
class FloatNode final : public ScalarNode<FixedBuilder<T>> {
 public:
  using ScalarNode<FixedBuilder<T>>::ScalarNode;
  void append(od::value& value) override {
    double number;
    if (value.get_double().get(number)) misfit(this->path(), this->type_, value);
    this->column_.append(static_cast<T>(number));
  }
};

class TextNode final : public ScalarNode<Utf8Builder> {
 public:
  using ScalarNode::ScalarNode;
  void append(od::value& value) override {
    std::string_view text;
    if (value.get_string().get(text)) {
      if (std::string_view(found_name(value)) != "utf8") misfit(path(), type_, value);
      throw Misfit{"type", path() + ": has half a character: an escape such as \\ud800 alone"};
    }
    column_.append(text);
  }
};

// Any JSON value, as its text. On demand nobody else looks into it, so that is done here.
class RawNode final : public ScalarNode<Utf8Builder> {
 public:
  using ScalarNode::ScalarNode;
  void append(od::value& value) override {
    const std::string_view text = raw_json(value);
    if (auto error = parser_.parse(text.data(), text.size()).error()) broken(error);
    column_.append(text);
  }

 private:
  simdjson::dom::parser parser_;
};

// Types whose JSON form is a string: dates, times, timestamps, decimals (numbers too), binary.
class ParsedNode final : public Node {
 public:
  ParsedNode(const Node* parent, std::string name, const Type& type, ColumnBuilder& column)
      : Node(parent, std::move(name)), type_(type), column_(column), appender_(type_, column) {}
  void append_null() override { column_.append_null(); }
  void append(od::value& value) override {
    std::string_view text;
    if (type_.id == TypeId::kDecimal128 && is_number(value)) {
      text = raw_json(value);
    } else if (value.get_string().get(text)) {
      misfit(path(), type_, value);
    }
    if (!appender_.append(text)) {
      throw Misfit{"type", path() + ": expected " + type_name(type_) + ", found utf8 that is none"};
    }
  }

 private:
  static bool is_number(od::value& value) {
    od::json_type type;
    return !value.type().get(type) && type == od::json_type::number;
  }
  const Type type_;
  ColumnBuilder& column_;
  TextAppender appender_;
};

void append_value(Node& node, od::value& value) {
  bool null = false;
  if (auto error = value.is_null().get(null)) broken(error);
  if (null) {
    node.append_null();
  } else {
    node.append(value);
  }
}

std::unique_ptr<Node> make_node(const Node* parent, std::string name, const Type& type,
                                ColumnBuilder& column, const OnUnknown& on_unknown);

class StructNode final : public Node {
 public:
  StructNode(const Node* parent, std::string name, const Type& type, StructBuilder& column,
             const OnUnknown& on_unknown)
      : Node(parent, std::move(name)),
        type_(type),
        column_(column),
        members_(
            this, type_.fields, [&](size_t i) -> ColumnBuilder& { return column.member(i); },
            on_unknown) {}
  void append_null() override { column_.append_null(); }
  void append(od::value& value) override {
    od::object object;
    if (value.get_object().get(object)) misfit(path(), type_, value);
    column_.append();
    members_.append(object);
  }

 private:
  const Type type_;
  StructBuilder& column_;
  Members members_;
};

class ListNode final : public Node {
 public:
  ListNode(const Node* parent, std::string name, const Type& type, ListBuilder& column,
           const OnUnknown& on_unknown)
      : Node(parent, std::move(name)),
        type_(type),
        column_(column),
        item_(make_node(this, "[]", type_.fields[0].type, column.item(), on_unknown)) {}
  void append_null() override { column_.append_null(); }
  void append(od::value& value) override {
    od::array array;
    if (value.get_array().get(array)) misfit(path(), type_, value);
    column_.append();
    for (auto one : array) {
      if (auto error = one.error()) broken(error);
      od::value&& item = std::move(one).value_unsafe();
      append_value(*item_, item);
    }
  }

 private:
  const Type type_;
  ListBuilder& column_;
  std::unique_ptr<Node> item_;
};

template <class T>
std::unique_ptr<Node> int_node(const Node* parent, std::string name, const Type& type,
                               ColumnBuilder& column) {
  return std::make_unique<IntNode<T>>(parent, std::move(name), type,
                                      static_cast<FixedBuilder<T>&>(column));
}

std::unique_ptr<Node> make_node(const Node* parent, std::string name, const Type& type,
                                ColumnBuilder& column, const OnUnknown& on_unknown) {
  switch (type.id) {
    case TypeId::kBool:
      return std::make_unique<BoolNode>(parent, std::move(name), type,
                                        static_cast<BoolBuilder&>(column));
    case TypeId::kInt8:
      return int_node<int8_t>(parent, std::move(name), type, column);
    case TypeId::kInt16:
      return int_node<int16_t>(parent, std::move(name), type, column);
    case TypeId::kInt32:
      return int_node<int32_t>(parent, std::move(name), type, column);
    case TypeId::kInt64:
      return int_node<int64_t>(parent, std::move(name), type, column);
    case TypeId::kUint8:
      return int_node<uint8_t>(parent, std::move(name), type, column);
    case TypeId::kUint16:
      return int_node<uint16_t>(parent, std::move(name), type, column);
    case TypeId::kUint32:
      return int_node<uint32_t>(parent, std::move(name), type, column);
    case TypeId::kUint64:
      return int_node<uint64_t>(parent, std::move(name), type, column);
    case TypeId::kFloat32:
      return std::make_unique<FloatNode<float>>(parent, std::move(name), type,
                                                static_cast<Float32Builder&>(column));
    case TypeId::kFloat64:
      return std::make_unique<FloatNode<double>>(parent, std::move(name), type,
                                                 static_cast<Float64Builder&>(column));
    case TypeId::kUtf8:
      if (type.json) {
        return std::make_unique<RawNode>(parent, std::move(name), type,
                                         static_cast<Utf8Builder&>(column));
      }
      return std::make_unique<TextNode>(parent, std::move(name), type,
                                        static_cast<Utf8Builder&>(column));
    case TypeId::kList:
      return std::make_unique<ListNode>(parent, std::move(name), type,
                                        static_cast<ListBuilder&>(column), on_unknown);
    case TypeId::kStruct:
      return std::make_unique<StructNode>(parent, std::move(name), type,
                                          static_cast<StructBuilder&>(column), on_unknown);
    default:
      return std::make_unique<ParsedNode>(parent, std::move(name), type, column);
  }
}

}  // namespace

[[noreturn]] void broken(simdjson::error_code error) { throw simdjson::simdjson_error(error); }

const char* found_name(od::value& value) {
  od::json_type type;
  if (value.type().get(type) != simdjson::SUCCESS) return "broken JSON";
  switch (type) {
    case od::json_type::string:
      return "utf8";
    case od::json_type::boolean:
      return "bool";
    case od::json_type::null:
      return "null";
    case od::json_type::array:
      return "list";
    case od::json_type::object:
      return "struct";
    case od::json_type::number:
      break;
  }
  bool integer = false;
  return value.is_integer().get(integer) == simdjson::SUCCESS && integer ? "int64" : "float64";
}

Type type_of_value(od::value& value) {
  const std::string_view name = found_name(value);
  if (name == "utf8" || name == "int64" || name == "float64" || name == "bool")
    return parse_type(name);
  return json_text();
}

std::string_view raw_json(od::value& value) {
  od::json_type type;
  if (auto error = value.type().get(type)) broken(error);
  std::string_view text;
  if (type == od::json_type::object) {
    od::object object;
    if (auto error = value.get_object().get(object)) broken(error);
    if (auto error = object.raw_json().get(text)) broken(error);
  } else if (type == od::json_type::array) {
    od::array array;
    if (auto error = value.get_array().get(array)) broken(error);
    if (auto error = array.raw_json().get(text)) broken(error);
  } else {
    text = value.raw_json_token();
    const size_t end = text.find_last_not_of(" \t\r\n");
    text = text.substr(0, end + 1);
  }
  return text;
}

std::string Node::path() const {
  if (!parent_ || parent_->path().empty()) return name_;
  return name_ == "[]" ? parent_->path() + "[]" : parent_->path() + "." + name_;
}

// Does the name stand in JSON as it is, and can it be compared within the text's padding?
static bool stands_as_is(std::string_view name) {
  return name.size() < simdjson::SIMDJSON_PADDING &&
         name.find_first_of("\"\\") == std::string_view::npos;
}

Members::Members(const Node* parent, const std::vector<Field>& fields,
                 const std::function<ColumnBuilder&(size_t)>& column, const OnUnknown& on_unknown)
    : parent_(parent), on_unknown_(on_unknown), seen_(fields.size()) {
  for (size_t i = 0; i < fields.size(); ++i) {
    names_.push_back(fields[i].name);
    stands_as_is_.push_back(stands_as_is(fields[i].name));
    nodes_.push_back(make_node(parent, fields[i].name, fields[i].type, column(i), on_unknown));
  }
  for (size_t i = 0; i < names_.size(); ++i) index_[names_[i]] = i;
}

void Members::append(od::object& object) {
  std::fill(seen_.begin(), seen_.end(), 0);
  size_t next = 0;
  for (auto one : object) {
    if (auto error = one.error()) broken(error);
    // In place: a copy would read in one piece what was written in several, and wait for it.
    od::field&& member = std::move(one).value_unsafe();
    od::value& value = member.value();
    std::optional<size_t> i = next;
    if (next >= names_.size() || !stands_as_is_[next] ||
        !member.key().unsafe_is_equal(names_[next])) {
      std::string_view key;
      if (auto error = member.unescaped_key().get(key)) broken(error);
      i = find(key);
      if (!i) {
        unknown(key, value);
        continue;
      }
    }
    if (seen_[*i]) throw Misfit{"duplicate", nodes_[*i]->path() + ": stands twice in one object"};
    seen_[*i] = 1;
    append_value(*nodes_[*i], value);
    next = *i + 1;
  }
  for (size_t i = 0; i < seen_.size(); ++i) {
    if (!seen_[i]) nodes_[i]->append_null();
  }
}

std::optional<size_t> Members::find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

void Members::unknown(std::string_view key, od::value& value) const {
  const std::string parent = parent_ ? parent_->path() : "";
  if (key.find('\0') != std::string_view::npos) {
    throw Misfit{"name", (parent.empty() ? "the record" : parent) +
                             ": a member's name has a NUL character, which no column's name can "
                             "have; rename it at its source"};
  }
  on_unknown_(parent.empty() ? std::string(key) : parent + "." + std::string(key), value);
}

}  // namespace patchbay::json_nodes
