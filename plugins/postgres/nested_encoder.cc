#include "field_encoder.h"
#include "patchbay/text_value.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

bool is_json(PgKind kind) { return kind == PgKind::kJson || kind == PgKind::kJsonb; }

// The length of what was appended since `begin`, where it belongs.
void set_length(WireBuffer& out, size_t begin) {
  set_wire(out.at(begin), static_cast<int32_t>(out.size() - begin - 4));
}

class JsonEncoder final : public FieldEncoder {
 public:
  JsonEncoder(const ColumnOfBatch& column, bool jsonb)
      : column_(text_column(column.type, column.array, column.offset, column.length)),
        jsonb_(jsonb) {}
  const char* append(WireBuffer& out, int64_t row) const override {
    if (column_->is_null(row)) return out.put_null(), nullptr;
    std::string text;
    column_->append(text, row);
    out.put(static_cast<int32_t>(text.size() + jsonb_));
    if (jsonb_) out.put('\1');
    return out.append(text), nullptr;
  }

 private:
  std::unique_ptr<TextColumn> column_;
  const bool jsonb_;
};

std::unique_ptr<FieldEncoder> make_json(const ColumnOfBatch& column, const PgType& to) {
  return std::make_unique<JsonEncoder>(column, to.kind == PgKind::kJsonb);
}

PgType item_type(const PgType& array) {
  return {array.item, array.item_oid, array.precision, array.scale, PgKind::kOther, 0};
}

// array_recv: dimensions, null flag, item type, then size and lower bound of each dimension, then
// items.
class ArrayEncoder final : public FieldEncoder {
 public:
  ArrayEncoder(const ColumnOfBatch& column, const PgType& to)
      : lists_(column.type, column.array, column.offset, column.length),
        item_oid_(to.item_oid),
        items_(find_encoder(column.type.fields[0].type, item_type(to))(
            {column.type.fields[0].type, *column.array.children[0], 0,
             column.array.children[0]->length},
            item_type(to))) {}
  const char* append(WireBuffer& out, int64_t row) const override {
    if (lists_.is_null(row)) return out.put_null(), nullptr;
    const auto [begin, end] = lists_[row];
    const size_t length = out.size();
    out.put(int32_t{0});
    out.put(int32_t{begin != end});
    out.put(int32_t{1});
    out.put(item_oid_);
    if (begin != end) {
      out.put(static_cast<int32_t>(end - begin));
      out.put(int32_t{1});
    }
    for (int64_t i = begin; i < end; ++i) {
      if (const char* why = items_->append(out, i)) return why;
    }
    return set_length(out, length), nullptr;
  }

 private:
  ListView lists_;
  uint32_t item_oid_;
  std::unique_ptr<FieldEncoder> items_;
};

std::unique_ptr<FieldEncoder> make_array(const ColumnOfBatch& column, const PgType& to) {
  return std::make_unique<ArrayEncoder>(column, to);
}

}  // namespace

MakeEncoder find_nested_encoder(const Type& from, const PgType& to) {
  if (is_json(to.kind)) return make_json;
  const bool array = from.id == TypeId::kList && to.kind == PgKind::kArray &&
                     from.fields[0].type.id != TypeId::kList &&
                     find_encoder(from.fields[0].type, item_type(to)) != nullptr;
  return array ? make_array : nullptr;
}

}  // namespace patchbay
