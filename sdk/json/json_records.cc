#include "patchbay/json_records.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "json_nodes.h"
#include "patchbay/json_text.h"

namespace patchbay {
namespace {

namespace od = simdjson::ondemand;
using namespace json_nodes;

struct Refused {
  Misfit why;
  int64_t number;  // of the record, from 1
  std::string record;
};

// The new fields of the record that is read.
struct Growth {
  std::shared_ptr<Schema> schema;  // with them, null without any
  std::set<std::string> paths;
};

class Holding {
 public:
  Holding(std::vector<Refused>*& place, std::vector<Refused>& refused) : place_(place) {
    place_ = &refused;
  }
  ~Holding() { place_ = nullptr; }

 private:
  std::vector<Refused>*& place_;
};

bool at_end(od::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// Adds the field at a path such as recipient.suffix or interactors[].badge.
bool add_field(std::vector<Field>& fields, std::string_view path, const Type& type) {
  const size_t dot = path.find('.');
  std::string_view head = path.substr(0, dot);
  if (dot == std::string_view::npos) {
    const auto same = [&](const Field& field) { return field.name == head; };
    if (std::any_of(fields.begin(), fields.end(), same)) return false;  // "x.y" beside x {y}
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

std::optional<size_t> index_of(const std::string& key) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return index;
}

// Calls `found` with the member, or the item, that one part of a path names; false if there is
// none. All the others are passed over as well, so that a text that is cut shows.
template <class Found>
bool step(od::value& value, const std::string& key, Found found) {
  bool any = false;
  const auto give = [&](auto one) {
    od::value inner;
    if (auto error = one.get(inner)) broken(error);
    any = true;
    found(inner);
  };
  od::object object;
  if (!value.get_object().get(object)) {
    for (auto member : object) {
      std::string_view name;
      if (auto error = member.unescaped_key().get(name)) broken(error);
      if (!any && name == key) give(member.value());
    }
    return any;
  }
  od::array array;
  const auto index = index_of(key);
  if (!index || value.get_array().get(array)) return false;
  size_t at = 0;
  for (auto item : array)
    if (at++ == *index) give(item);
  return any;
}

}  // namespace

class JsonRecords::State {
 public:
  State(Schema base, std::function<std::string(std::string_view)> position)
      : schema_(std::make_shared<const Schema>(std::move(base))), position_(std::move(position)) {
    rebuild();
  }

  // Why it is no JSON, if it is none. Refused records are told at the end, when that is known.
  std::optional<std::string> parse(Call& call, std::string text, const RecordsAt& at,
                                   const std::string& what) {
    call_ = &call;
    what_ = &what;
    if (at.lines) return parse_lines(call, std::move(text));
    const int64_t records = records_, rows = builder_->rows();
    const size_t done = done_.size();
    std::vector<Refused> refused;
    try {
      text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
      od::document document = parser_.iterate(text.data(), text.size(), text.capacity());
      od::value root = document.get_value();
      const Holding holding(held_, refused);
      walk(root, at.path, 0);
      if (!at_end(document)) broken(simdjson::TRAILING_CONTENT);
    } catch (const simdjson::simdjson_error& error) {
      records_ = records;
      go_back(done, rows);
      return simdjson::error_message(error.error());
    }
    for (const auto& one : refused) tell(one);
    return std::nullopt;
  }

  // Why it is no JSON, if it is none.
  std::optional<std::string> parse_record(Call& call, std::string_view text, size_t readable) {
    call_ = &call;
    const int64_t records = records_, rows = builder_->rows(), refused = refused_;
    const size_t done = done_.size();
    try {
      od::document document = parser_.iterate(text.data(), text.size(), readable);
      od::value root = document.get_value();
      take_record(root);
      if (!at_end(document)) broken(simdjson::TRAILING_CONTENT);
      return std::nullopt;
    } catch (const simdjson::simdjson_error& error) {
      records_ = records + 1;
      if (refused_ > refused) return std::nullopt;
      // Parts of the row stand already: in this builder, or in one begun for a new field.
      builder_->truncate(done_.size() > done ? 0 : rows);
      return std::string("is no JSON: ") + simdjson::error_message(error.error());
    }
  }

  void refuse_text(Call& call, const std::string& why, std::string_view text) {
    call_ = &call;
    std::string record = "{\"text\":";
    append_json_string(record, text);
    refuse({"syntax", why}, record + "}");
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

  static std::string path_text(const std::vector<std::string>& path, size_t parts) {
    std::string text;
    for (size_t i = 0; i < parts; ++i) text += (i > 0 ? "." : "") + path[i];
    return text;
  }

  // `depth` parts of the path are behind.
  void walk(od::value& value, const std::vector<std::string>& path, size_t depth) {
    if (depth == path.size()) return take_records(value, path);
    if (!step(value, path[depth], [&](od::value& inner) { walk(inner, path, depth + 1); }))
      misplaced(path_text(path, depth + 1) + ": missing");
  }

  void take_records(od::value& value, const std::vector<std::string>& path) {
    od::json_type type;
    if (auto error = value.type().get(type)) broken(error);
    if (type == od::json_type::object) return take_record(value);
    od::array array;
    if (value.get_array().get(array)) {
      misplaced((path.empty() ? "the text" : path_text(path, path.size())) +
                ": must be a list of records");
    }
    for (auto one : array) {
      od::value record;
      if (auto error = one.get(record)) broken(error);
      take_record(record);
    }
  }

  // Drops the rows past `rows` of the batch that was open when `done` batches were closed.
  void go_back(size_t done, int64_t rows) {
    if (done_.size() == done) return builder_->truncate(rows);
    builder_->truncate(0);
    Batch first = done_[done].slice(0, rows);  // closed since, for a new field
    done_.resize(done);
    if (rows > 0) done_.push_back(std::move(first));
  }

  std::optional<std::string> parse_lines(Call& call, std::string text) {
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view one(text.data() + begin, end - begin);
      if (one.find_first_not_of(" \t\r") != std::string_view::npos) {
        if (const auto why = parse_record(call, one, text.capacity() - begin))
          refuse({"syntax", *why}, "null");
      }
      begin = end + 1;
    }
    return std::nullopt;
  }

  void take_record(od::value& record) {
    ++records_;
    od::object object;
    if (record.get_object().get(object)) {
      return refuse({"type", std::string("record: expected struct, found ") + found_name(record)},
                    raw_json(record));
    }
    if (take_members(object)) return;
    object.reset();
    read_again(object.raw_json());
  }

  // Now that its new fields are known. By a parser of its own: the text's has room for each of the
  // text's strings once.
  void read_again(std::string_view record) {
    const simdjson::padded_string text(record);
    od::document document = again_.iterate(text);
    od::object object = document.get_object();
    if (!take_members(object)) throw Error(Code::kInternal, "schema: a field stays unknown");
  }

  // False where the schema had to grow first.
  bool take_members(od::object& object) {
    const int64_t before = builder_->rows();
    growth_ = {};
    std::optional<Misfit> misfit;
    try {
      members_->append(object);
      if (schema_->fields.empty() && !growth_.schema)
        misfit = {"empty", "record: has no field, and the stream has no columns"};
    } catch (const Misfit& why) {
      misfit = why;
    }
    if (!misfit && !growth_.schema) return true;
    builder_->truncate(before);
    if (growth_.schema) grow();
    if (!misfit) return false;
    object.reset();
    refuse(*misfit, object.raw_json());
    return true;
  }

  void grow() {
    if (builder_->rows() > 0) done_.push_back(builder_->finish());
    schema_ = std::move(growth_.schema);
    rebuild();
  }

  void refuse(const Misfit& why, std::string_view record) {
    ++refused_;
    Refused refused{why, records_, std::string(record)};
    if (held_) {
      held_->push_back(std::move(refused));
    } else {
      tell(refused);
    }
  }

  void tell(const Refused& refused) {
    const std::string position = position_ ? position_(refused.record)
                                           : "{\"record\":" + std::to_string(refused.number) + "}";
    call_->reject_record({schema_->name, refused.why.code, refused.why.reason, position},
                         refused.record);
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
    if (!growth_.paths.insert(path).second) return;
    if (!growth_.schema) growth_.schema = std::make_shared<Schema>(*schema_);
    if (!add_field(growth_.schema->fields, path, found->second.type)) {
      throw Misfit{"unknown_field",
                   path +
                       ": new field whose name has a dot or ends with []; declare it, or set "
                       "on_schema_change: ignore"};
    }
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
  od::parser parser_, again_;
  Growth growth_;
  std::unique_ptr<BatchBuilder> builder_;
  OnUnknown on_unknown_;
  std::unique_ptr<Members> members_;
  std::vector<Batch> done_;
  std::map<std::string, Change> changes_;
  int64_t records_ = 0, refused_ = 0;
  std::vector<Refused>* held_ = nullptr;  // where refused records wait for the document's end
  Call* call_ = nullptr;
  const std::string* what_ = nullptr;
};

JsonRecords::JsonRecords(Schema base, std::function<std::string(std::string_view)> position)
    : state_(std::make_unique<State>(std::move(base), std::move(position))) {}
JsonRecords::~JsonRecords() = default;

std::optional<std::string> JsonRecords::parse(Call& call, std::string text, const RecordsAt& at,
                                              const std::string& what) {
  return state_->parse(call, std::move(text), at, what);
}

std::optional<std::string> JsonRecords::parse_record(Call& call, std::string_view text,
                                                     size_t readable) {
  return state_->parse_record(call, text, readable);
}

void JsonRecords::refuse_text(Call& call, const std::string& why, std::string_view text) {
  state_->refuse_text(call, why, text);
}

SchemaPtr JsonRecords::schema() const { return state_->schema(); }
std::vector<Batch> JsonRecords::take(bool all) { return state_->take(all); }
int64_t JsonRecords::records() const { return state_->records(); }
int64_t JsonRecords::open_rows() const { return state_->open_rows(); }

}  // namespace patchbay
