#include "patchbay/json_records.h"

#include <simdjson.h>

#include <map>
#include <optional>

#include "patchbay/text_value.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

namespace od = simdjson::ondemand;

// Why a record can't become a row.
struct Misfit {
  std::string code, reason;
};

// The schema grew: the record is read again.
struct Grown {};

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

[[noreturn]] void misfit(const std::string& path, const Type& expected, od::value& value) {
  throw Misfit{"type", path + ": expected " + type_name(expected) + ", found " + found_name(value)};
}

bool at_end(od::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

[[noreturn]] void broken(simdjson::error_code error) { throw simdjson::simdjson_error(error); }

// One column's reader. The path is put together only where it is needed.
class Node {
 public:
  explicit Node(const Node* parent, std::string name) : parent_(parent), name_(std::move(name)) {}
  virtual ~Node() = default;
  virtual void append(od::value& value) = 0;
  virtual void append_null() = 0;
  std::string path() const {
    if (!parent_ || parent_->path().empty()) return name_;
    return name_ == "[]" ? parent_->path() + "[]" : parent_->path() + "." + name_;
  }

 private:
  const Node* parent_;
  std::string name_;
};

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
    if (error) misfit(this->path(), this->type_, value);
    if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) {
      throw Misfit{"range", this->path() + ": out of the range of " + type_name(this->type_)};
    }
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
    if (value.get_string().get(text)) misfit(path(), type_, value);
    column_.append(text);
  }
};

// Any JSON value, as its text.
class RawNode final : public ScalarNode<Utf8Builder> {
 public:
  using ScalarNode::ScalarNode;
  void append(od::value& value) override { column_.append(raw(value)); }
  static std::string_view raw(od::value& value) {
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
      text = RawNode::raw(value);
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

using OnUnknown = std::function<void(const std::string& path, od::value& value)>;
std::unique_ptr<Node> make_node(const Node* parent, std::string name, const Type& type,
                                ColumnBuilder& column, const OnUnknown& on_unknown);

// The members of an object into as many columns. Members usually come in the same order, so the
// next one is tried first.
class Members {
 public:
  Members(const Node* parent, const std::vector<Field>& fields,
          const std::function<ColumnBuilder&(size_t)>& column, const OnUnknown& on_unknown)
      : parent_(parent), on_unknown_(on_unknown), seen_(fields.size()) {
    for (size_t i = 0; i < fields.size(); ++i) {
      names_.push_back(fields[i].name);
      nodes_.push_back(make_node(parent, fields[i].name, fields[i].type, column(i), on_unknown));
    }
    for (size_t i = 0; i < names_.size(); ++i) index_[names_[i]] = i;
  }

  void append(od::object& object) {
    std::fill(seen_.begin(), seen_.end(), 0);
    size_t next = 0;
    for (auto member : object) {
      std::string_view key;
      if (auto error = member.unescaped_key().get(key)) broken(error);
      od::value value;
      if (auto error = member.value().get(value)) broken(error);
      const auto i = find(key, next);
      if (!i) {
        unknown(key, value);
        continue;
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

 private:
  std::optional<size_t> find(std::string_view key, size_t next) const {
    if (next < names_.size() && names_[next] == key) return next;
    const auto found = index_.find(key);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  void unknown(std::string_view key, od::value& value) const {
    const std::string parent = parent_ ? parent_->path() : "";
    on_unknown_(parent.empty() ? std::string(key) : parent + "." + std::string(key), value);
  }

  const Node* parent_;
  const OnUnknown& on_unknown_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<uint8_t> seen_;
};

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
      od::value item;
      if (auto error = one.get(item)) broken(error);
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

Type type_of_value(od::value& value) {
  const std::string_view name = found_name(value);
  if (name == "utf8" || name == "int64" || name == "float64" || name == "bool")
    return parse_type(name);
  return json_text();
}

// Adds the field at a path such as recipient.suffix or interactors[].badge.
bool add_field(std::vector<Field>& fields, std::string_view path, const Type& type) {
  const size_t dot = path.find('.');
  std::string_view head = path.substr(0, dot);
  if (dot == std::string_view::npos) {
    fields.push_back({std::string(head), type, true});
    return true;
  }
  size_t lists = 0;
  for (; head.ends_with("[]"); ++lists) head.remove_suffix(2);
  for (auto& field : fields) {
    if (field.name != head) continue;
    Type* inner = &field.type;
    for (; lists > 0; --lists) inner = &inner->fields.at(0).type;
    return add_field(inner->fields, path.substr(dot + 1), type);
  }
  return false;
}

}  // namespace

class JsonRecords::State {
 public:
  State(Schema base, std::function<std::string(std::string_view)> position)
      : schema_(std::make_shared<const Schema>(std::move(base))), position_(std::move(position)) {
    rebuild();
  }

  void parse(Call& call, std::string text, const RecordsAt& at, const std::string& what) {
    call_ = &call;
    what_ = &what;
    if (at.lines) return parse_lines(std::move(text));
    try {
      text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
      od::document document = parser_.iterate(text.data(), text.size(), text.capacity());
      od::value root = document.get_value();
      walk(root, at.path);
      // Behind a path the rest of the objects around the records is left unread: is_json judges the
      // whole.
      if (at.path.empty() && !at_end(document)) broken(simdjson::TRAILING_CONTENT);
    } catch (const simdjson::simdjson_error& error) {
      throw Error(Code::kData, what + ": is no JSON that can be used: " +
                                   simdjson::error_message(error.error()));
    }
  }

  SchemaPtr schema() const { return schema_; }
  int64_t records() const { return records_; }
  int64_t open_rows() const { return builder_->rows(); }

  std::vector<Batch> take(bool all) {
    if (all && builder_->rows() > 0) done_.push_back(builder_->finish());
    return std::exchange(done_, {});
  }

 private:
  [[noreturn]] void misplaced(const std::string& why) const {
    throw Error(Code::kData, *what_ + ": " + why);
  }

  void walk(od::value& root, const std::vector<std::string>& path) {
    od::value value = root;
    std::string so_far;
    for (const auto& key : path) {
      so_far += (so_far.empty() ? "" : ".") + key;
      od::object object;
      if (value.get_object().get(object))
        misplaced(so_far + ": missing, the text is no object there");
      if (object.find_field_unordered(key).get(value)) misplaced(so_far + ": missing");
    }
    od::json_type type;
    if (auto error = value.type().get(type)) broken(error);
    if (type == od::json_type::object) return take_record(value);
    od::array array;
    if (value.get_array().get(array)) {
      misplaced((so_far.empty() ? "the text" : so_far) + ": must be a list of records");
    }
    for (auto one : array) {
      od::value record;
      if (auto error = one.get(record)) broken(error);
      take_record(record);
    }
  }

  void parse_lines(std::string text) {
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    size_t line = 0;
    for (size_t begin = 0; begin < text.size();) {
      ++line;
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view one(text.data() + begin, end - begin);
      if (one.find_first_not_of(" \t\r") != std::string_view::npos)
        parse_line(one, text.capacity() - begin);
      begin = end + 1;
    }
  }

  void parse_line(std::string_view line, size_t capacity) {
    try {
      od::document document = parser_.iterate(line.data(), line.size(), capacity);
      od::value root = document.get_value();
      take_record(root);
      if (!at_end(document)) broken(simdjson::TRAILING_CONTENT);
    } catch (const simdjson::simdjson_error& error) {
      ++records_;
      refuse({"syntax", std::string("is no JSON: ") + simdjson::error_message(error.error())},
             "null");
    }
  }

  void take_record(od::value& record) {
    ++records_;
    od::object object;
    if (record.get_object().get(object)) {
      return refuse({"type", std::string("record: expected struct, found ") + found_name(record)},
                    RawNode::raw(record));
    }
    for (;;) {
      const int64_t before = builder_->rows();
      try {
        members_->append(object);
        return;
      } catch (const Grown&) {
        builder_->truncate(before);
        if (before > 0) done_.push_back(builder_->finish());
        rebuild();
      } catch (const Misfit& why) {
        builder_->truncate(before);
        object.reset();
        return refuse(why, object.raw_json());
      }
      object.reset();
    }
  }

  void refuse(const Misfit& why, std::string_view record) {
    const std::string position =
        position_ ? position_(record) : "{\"record\":" + std::to_string(records_) + "}";
    call_->reject_record({schema_->name, why.code, why.reason, position}, record);
  }

  // Asked once per path; the answer holds for the reader's life.
  void on_unknown(const std::string& path, od::value& value) {
    bool null = false;
    if (auto error = value.is_null().get(null)) broken(error);
    if (null && !changes_.contains(path))
      return;  // a null tells no type, and nothing is lost by leaving it out
    auto found = changes_.find(path);
    if (found == changes_.end()) {
      found =
          changes_.emplace(path, call_->schema_change(schema_->name, path, type_of_value(value)))
              .first;
    }
    switch (found->second.action) {
      case ChangeAction::kIgnore:
        return;
      case ChangeAction::kReject:
        throw Misfit{"unknown_field",
                     path + ": unknown field of type " + type_name(found->second.type)};
      default:
        break;
    }
    auto grown = std::make_shared<Schema>(*schema_);
    if (!add_field(grown->fields, path, found->second.type)) return;
    schema_ = std::move(grown);
    throw Grown{};
  }

  void rebuild() {
    builder_ = std::make_unique<BatchBuilder>(schema_);
    on_unknown_ = [this](const std::string& path, od::value& value) { on_unknown(path, value); };
    members_ = std::make_unique<Members>(
        nullptr, schema_->fields,
        [this](size_t i) -> ColumnBuilder& { return builder_->column(i); }, on_unknown_);
  }

  SchemaPtr schema_;
  std::function<std::string(std::string_view)> position_;
  od::parser parser_;
  std::unique_ptr<BatchBuilder> builder_;
  OnUnknown on_unknown_;
  std::unique_ptr<Members> members_;
  std::vector<Batch> done_;
  std::map<std::string, Change> changes_;
  int64_t records_ = 0;
  Call* call_ = nullptr;
  const std::string* what_ = nullptr;
};

JsonRecords::JsonRecords(Schema base, std::function<std::string(std::string_view)> position)
    : state_(std::make_unique<State>(std::move(base), std::move(position))) {}
JsonRecords::~JsonRecords() = default;

void JsonRecords::parse(Call& call, std::string text, const RecordsAt& at,
                        const std::string& what) {
  state_->parse(call, std::move(text), at, what);
}

SchemaPtr JsonRecords::schema() const { return state_->schema(); }
std::vector<Batch> JsonRecords::take(bool all) { return state_->take(all); }
int64_t JsonRecords::records() const { return state_->records(); }
int64_t JsonRecords::open_rows() const { return state_->open_rows(); }

Type type_of_json(std::string_view text) {
  od::parser parser;
  const simdjson::padded_string padded(text);
  od::document document = parser.iterate(padded);
  od::value value;
  if (document.get_value().get(value) == simdjson::SUCCESS) return type_of_value(value);
  // A scalar alone is a document of its own.
  od::json_type type;
  if (document.type().get(type)) return json_text();
  if (type == od::json_type::string) return scalar(TypeId::kUtf8);
  if (type == od::json_type::boolean) return scalar(TypeId::kBool);
  if (type != od::json_type::number) return json_text();
  const bool integer = text.find_first_of(".eE") == std::string_view::npos;
  return scalar(integer ? TypeId::kInt64 : TypeId::kFloat64);
}

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

}  // namespace patchbay
