#include <map>
#include <optional>
#include "field_names.h"

#include "patchbay/map.h"
#include "patchbay/suggest.h"
#include "patchbay/text_value.h"

namespace patchbay {
namespace {

struct SplitRule {
  std::string field, by;
  std::vector<std::string> into;
};

struct FieldsConfig {
  Spelling spelling = nullptr;
  std::map<std::string, std::string> rename;
  std::vector<std::string> keep, drop;
  std::map<std::string, Type> cast;
  std::vector<SplitRule> split;
  Json::Value set;
};

Spelling parse_spelling(const std::string& name) {
  if (name == "camel") return camel_case;
  return name == "snake" ? snake_case : lower_case;
}

FieldsConfig parse_config(const Config& config) {
  FieldsConfig out;
  const Json::Value& rename = config.at("rename");
  if (rename.isString()) out.spelling = parse_spelling(rename.asString());
  if (rename.isObject()) {
    for (const auto& name : rename.getMemberNames()) out.rename[name] = rename[name].asString();
  }
  out.keep = config.get_or<std::vector<std::string>>("keep", {});
  out.drop = config.get_or<std::vector<std::string>>("drop", {});
  for (const auto& name : config.at("cast").getMemberNames()) {
    try {
      out.cast[name] = parse_type(config.at("cast")[name].asString());
    } catch (const Error& error) {
      config_error("cast." + name, error.what());
    }
  }
  for (const auto& name : config.at("split").getMemberNames()) {
    const Json::Value& rule = config.at("split")[name];
    out.split.push_back({name, rule["by"].asString(), {}});
    for (const auto& into : rule["into"]) out.split.back().into.push_back(into.asString());
  }
  out.set = config.at("set");
  return out;
}

// The columns of a batch while steps change them.
struct Columns {
  std::vector<Field> fields;
  std::vector<Array> arrays;  // empty while only the schema is worked out: `data` false
  int64_t rows = 0;

  int find(const std::string& name) const {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
};

class FieldsMapper final : public Mapper {
 public:
  FieldsMapper(const FieldsConfig& config, const SchemaPtr& in) : config_(config), in_(in) {
    Columns columns{in->fields, {}, 0};
    make_fields(columns, false);
    mid_ = std::make_shared<Schema>(Schema{in->name, columns.fields, in->keys});
    change_fields(columns, false);
    auto out = std::make_shared<Schema>(Schema{in->name, std::move(columns.fields), in->keys});
    std::erase_if(out->keys, [&](const std::string& key) { return out->index_of(key) < 0; });
    if (config_.spelling) *out = respell(*out, config_.spelling);
    if (!config_.rename.empty()) *out = rename(*out, config_.rename);
    out_ = std::move(out);
  }

  SchemaPtr schema() const override { return out_; }

  Batch map(Call& call, Batch batch) override {
    Columns columns{in_->fields, {}, batch.rows()};
    const Batch given = config_.cast.empty() ? Batch() : batch.slice(0, batch.rows());
    columns.arrays = split_columns(batch.take());
    make_fields(columns, true);
    if (!config_.cast.empty()) drop_uncastable(call, columns, given);
    change_fields(columns, true);
    return Batch(out_, join_columns(std::move(columns.arrays), columns.rows));
  }

 private:
  void require(const char* option, const std::string& name, const Columns& columns) const {
    if (columns.find(name) >= 0) return;
    std::vector<std::string> known;
    for (const auto& field : columns.fields) known.push_back(field.name);
    config_error(option,
                 "stream " + in_->name + " has no field " + name + did_you_mean(name, known));
  }

  void make_fields(Columns& columns, bool data) const {
    for (const auto& rule : config_.split) {
      require("split", rule.field, columns);
      const Type& type = columns.fields[static_cast<size_t>(columns.find(rule.field))].type;
      if (type.id != TypeId::kUtf8)
        config_error("split." + rule.field, "is " + type_name(type) + ", not text");
      split(columns, rule, data);
    }
    for (const auto& name : config_.set.getMemberNames()) set(columns, name, data);
  }

  void change_fields(Columns& columns, bool data) const {
    for (const auto& [name, type] : config_.cast) {
      require("cast", name, columns);
      if (type.id == TypeId::kList || type.id == TypeId::kStruct)
        config_error("cast." + name, "must be a scalar type");
      cast(columns, name, type, data);
    }
    if (!config_.keep.empty()) keep(columns, data);
    for (const auto& name : config_.drop) {
      require("drop", name, columns);
      remove(columns, static_cast<size_t>(columns.find(name)), data);
    }
  }

  static void remove(Columns& columns, size_t i, bool data) {
    columns.fields.erase(columns.fields.begin() + static_cast<std::ptrdiff_t>(i));
    if (data) columns.arrays.erase(columns.arrays.begin() + static_cast<std::ptrdiff_t>(i));
  }

  static void put(Columns& columns, Field field, ColumnBuilder* data) {
    const int at = columns.find(field.name);
    const auto i = at < 0 ? columns.fields.size() : static_cast<size_t>(at);
    if (at < 0) columns.fields.push_back(field);
    columns.fields[i] = std::move(field);
    if (!data) return;
    ArrowArray array = data->finish();
    if (at < 0) columns.arrays.emplace_back();
    columns.arrays[i] = Array(&array);
  }

  void split(Columns& columns, const SplitRule& rule, bool data) const {
    std::vector<BytesBuilder> parts(rule.into.size());
    const auto i = static_cast<size_t>(columns.find(rule.field));
    for (int64_t row = 0; data && row < columns.rows; ++row) {
      const Utf8View text(columns.fields[i].type, columns.arrays[i].get(), 0, columns.rows);
      split_row(rule, text.is_null(row) ? std::nullopt : std::optional(text[row]), parts);
    }
    for (size_t part = 0; part < parts.size(); ++part) {
      put(columns, {rule.into[part], scalar(TypeId::kUtf8), true}, data ? &parts[part] : nullptr);
    }
  }

  // The last part takes the rest, so that nothing of the text is lost.
  static void split_row(const SplitRule& rule, std::optional<std::string_view> text,
                        std::vector<BytesBuilder>& parts) {
    for (size_t part = 0; part < parts.size(); ++part) {
      if (!text) {
        parts[part].append_null();
        continue;
      }
      const size_t end = part + 1 == parts.size() ? std::string_view::npos : text->find(rule.by);
      parts[part].append(text->substr(0, end));
      text = end == std::string_view::npos ? std::nullopt
                                           : std::optional(text->substr(end + rule.by.size()));
    }
  }

  void set(Columns& columns, const std::string& name, bool data) const {
    const Json::Value& value = config_.set[name];
    const Type type = value.isBool()     ? scalar(TypeId::kBool)
                      : value.isInt64()  ? scalar(TypeId::kInt64)
                      : value.isDouble() ? scalar(TypeId::kFloat64)
                                         : scalar(TypeId::kUtf8);
    const auto column = make_builder(type);
    const TextAppender appender(type, *column);
    const std::string text = value.isNull() ? "" : value.asString();
    for (int64_t row = 0; data && row < columns.rows; ++row) {
      if (value.isNull()) {
        column->append_null();
      } else {
        appender.append(text);
      }
    }
    put(columns, {name, type, value.isNull()}, data ? column.get() : nullptr);
  }

  static void cast(Columns& columns, const std::string& name, const Type& type, bool data) {
    const auto i = static_cast<size_t>(columns.find(name));
    const auto column = make_builder(type);
    if (data) {
      const auto in = text_column(columns.fields[i].type, columns.arrays[i].get(), 0, columns.rows);
      const TextAppender appender(type, *column);
      std::string text;
      for (int64_t row = 0; row < columns.rows; ++row) {
        text.clear();
        in->append(text, row);
        if (in->is_null(row) || !appender.append(text)) column->append_null();
      }
    }
    put(columns, {name, type, columns.fields[i].nullable}, data ? column.get() : nullptr);
  }

  void keep(Columns& columns, bool data) const {
    Columns kept{{}, {}, columns.rows};
    for (const auto& name : config_.keep) {
      require("keep", name, columns);
      const auto i = static_cast<size_t>(columns.find(name));
      kept.fields.push_back(columns.fields[i]);
      if (data) kept.arrays.push_back(std::move(columns.arrays[i]));
    }
    columns = std::move(kept);
  }

  // Rows with a value that does not become the type asked for are refused as they were given, one
  // by one, with the field.
  void drop_uncastable(Call& call, Columns& columns, const Batch& given) const {
    Batch batch(mid_, join_columns(std::move(columns.arrays), columns.rows));
    std::vector<uint8_t> bad(static_cast<size_t>(batch.rows()), 0);
    for (const auto& [name, type] : config_.cast)
      mark_uncastable(call, batch, given, name, type, bad);
    std::vector<int64_t> good;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (!bad[static_cast<size_t>(row)]) good.push_back(row);
    }
    if (static_cast<int64_t>(good.size()) < batch.rows()) batch = batch.rows_at(good);
    columns.rows = batch.rows();
    columns.arrays = split_columns(batch.take());
  }

  void mark_uncastable(Call& call, const Batch& batch, const Batch& given, const std::string& name,
                       const Type& type, std::vector<uint8_t>& bad) const {
    const auto i = static_cast<size_t>(mid_->index_of(name));
    const Type& from = mid_->fields[i].type;
    const auto in =
        text_column(from, *batch.array().children[i], batch.array().offset, batch.rows());
    const auto scratch = make_builder(type);
    const TextAppender appender(type, *scratch);
    std::string text;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      text.clear();
      in->append(text, row);
      if (bad[static_cast<size_t>(row)] || in->is_null(row) || appender.append(text)) continue;
      bad[static_cast<size_t>(row)] = 1;
      call.reject({in_->name, "cast",
                   name + ": a " + type_name(from) + " that is no " + type_name(type), ""},
                  given.rows_at({row}));
    }
  }

  const FieldsConfig& config_;
  SchemaPtr in_, mid_, out_;  // mid_: after split and set
};

class Fields final : public Map {
 public:
  Fields(Context&, const Config& config) : config_(parse_config(config)) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<FieldsMapper>(config_, in);
  }

 private:
  const FieldsConfig config_;
};

}  // namespace
}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::Fields>("fields"))
