#include "report/row_texts.h"

#include "patchbay/error.h"
#include "patchbay/json_text.h"
#include "patchbay/text_value.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

// The text is our own: compact, with every member in the order of the schema. Only arrow.json
// columns hold text of others, one JSON value each.
class RowText {
 public:
  RowText(const std::string& text, std::string path) : text_(text), path_(std::move(path)) {}

  void append_row(const std::vector<Field>& fields, const auto& column) {
    take('{');
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) take(',');
      value();  // its name
      take(':');
      append(fields[i], column(i));
    }
    take('}');
  }

  void end() const {
    if (at_ != text_.size()) fail("has text behind it");
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Code::kData, path_ + ": the record on record " + why);
  }

  void take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) fail("is no row of its schema");
    ++at_;
  }

  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  // One JSON value, as it stands.
  std::string_view value() {
    const size_t begin = at_;
    int depth = 0;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quoted) {
        if (c == '\\') {
          ++at_;
        } else if (c == '"') {
          quoted = false;
        }
        continue;
      }
      if (depth == 0 && (c == ',' || c == ':' || c == '}' || c == ']')) break;
      quoted = c == '"';
      depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    return std::string_view(text_).substr(begin, at_ - begin);
  }

  void append(const Field& field, ColumnBuilder& column) {
    const std::string outer = path_;
    path_ += (path_.empty() ? "" : ".") + field.name;
    const Type& type = field.type;
    if (text_.compare(at_, 4, "null") == 0 && !type.json) {
      at_ += 4;
      column.append_null();
    } else if (type.id == TypeId::kStruct) {
      auto& row = builder_as<StructBuilder>(column);
      row.append();
      append_row(type.fields, [&](size_t i) -> ColumnBuilder& { return row.member(i); });
    } else if (type.id == TypeId::kList) {
      append_list(type, builder_as<ListBuilder>(column));
    } else {
      append_scalar(type, column);
    }
    path_ = outer;
  }

  void append_list(const Type& type, ListBuilder& list) {
    list.append();
    take('[');
    for (bool first = true; !next_is(']'); first = false) {
      if (!first) take(',');
      append(type.fields[0], list.item());
    }
    take(']');
  }

  void append_scalar(const Type& type, ColumnBuilder& column) {
    const std::string_view raw = value();
    if (type.json) {
      if (raw == "null") return column.append_null();
      return builder_as<Utf8Builder>(column).append(raw);
    }
    const std::string text =
        raw.starts_with('"') ? parse_json_text(std::string(raw)).asString() : std::string(raw);
    if (type.id == TypeId::kBinary) {
      const auto bytes = from_base64(text);
      if (!bytes) fail("is no base64");
      return builder_as<BinaryBuilder>(column).append(*bytes);
    }
    if (!TextAppender(type, column).append(text)) fail("is no " + type_name(type));
  }

  const std::string& text_;
  std::string path_;
  size_t at_ = 0;
};

// The record's members in the order of the stream's fields; nullopt where the two differ.
std::optional<std::string> in_order(const Schema& stream, const std::string& record) {
  const Json::Value members = parse_json_text(record);
  if (!members.isObject() || members.size() != stream.fields.size()) return std::nullopt;
  std::string out;
  for (const auto& field : stream.fields) {
    if (!members.isMember(field.name)) return std::nullopt;
    out += (out.empty() ? "{" : ",") + compact_json(field.name) + ":" +
           compact_json(members[field.name]);
  }
  return out + "}";
}

}  // namespace

Batch rows_from_texts(const SchemaPtr& schema, const std::vector<std::string>& texts) {
  BatchBuilder batch(schema);
  for (const auto& text : texts) {
    RowText row(text, schema->name);
    row.append_row(schema->fields, [&](size_t i) -> ColumnBuilder& { return batch.column(i); });
    row.end();
  }
  return batch.finish();
}

bool is_record(const Schema& schema) {
  return schema.fields.size() == 1 && schema.fields[0].name == "record" &&
         schema.fields[0].type == json_text();
}

std::string record_in(const std::string& row_json) {
  constexpr std::string_view kBegin = "{\"record\":";
  if (!row_json.starts_with(kBegin) || !row_json.ends_with('}'))
    throw Error(Code::kData, "is not a record");
  return row_json.substr(kBegin.size(), row_json.size() - kBegin.size() - 1);
}

std::optional<Batch> rows_of_records(const SchemaPtr& stream, const Batch& records) {
  std::vector<std::string> texts;
  try {
    for (int64_t row = 0; row < records.rows(); ++row) {
      const auto text =
          in_order(*stream, record_in(row_to_json(*records.schema(), records.array(), row)));
      if (!text) return std::nullopt;
      texts.push_back(*text);
    }
    return rows_from_texts(stream, texts);
  } catch (const Error& error) {
    if (error.code() != Code::kData) throw;
    return std::nullopt;
  }
}

}  // namespace patchbay::host
