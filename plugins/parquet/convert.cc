#include "convert.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/c/bridge.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/extension_type.h>

#include <arrow/util/bitmap_ops.h>
#include <arrow/util/utf8.h>

#include "arrow_errors.h"
#include "arrow_pool.h"
#include "arrow_types.h"
#include "patchbay/json_records.h"

namespace patchbay {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

class Conversion {
 public:
  explicit Conversion(bool truncate) : context_(arrow_pool()) {
    context_.set_use_threads(false);
    options_.allow_time_truncate = truncate;
  }

  arrow::Result<ArrayPtr> convert(const ArrayPtr& in, const Type& to) {
    switch (in->type_id()) {
      case arrow::Type::EXTENSION:
        return from_extension(static_cast<const arrow::ExtensionArray&>(*in), to);
      case arrow::Type::DICTIONARY:
        return from_dictionary(static_cast<const arrow::DictionaryArray&>(*in), to);
      case arrow::Type::NA:
        return arrow::MakeArrayOfNull(arrow_type(to), in->length(), arrow_pool());
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        return from_list(static_cast<const arrow::ListArray&>(*in), to);
      case arrow::Type::LARGE_LIST:
      case arrow::Type::FIXED_SIZE_LIST:
      case arrow::Type::LIST_VIEW:
      case arrow::Type::LARGE_LIST_VIEW: {
        ARROW_ASSIGN_OR_RAISE(auto list, cast(*in, arrow::list(in->type()->field(0))));
        return convert(list, to);
      }
      case arrow::Type::STRUCT:
        return from_struct(static_cast<const arrow::StructArray&>(*in), to);
      default:
        return from_plain(in, to);
    }
  }

 private:
  arrow::Result<ArrayPtr> cast(const arrow::Array& in, std::shared_ptr<arrow::DataType> to) {
    return arrow::compute::Cast(in, std::move(to), options_, &context_);
  }

  arrow::Result<ArrayPtr> from_plain(const ArrayPtr& in, const Type& to) {
    const auto target = arrow_type(to);
    ArrayPtr out = in;
    if (!in->type()->Equals(*target)) {
      ARROW_ASSIGN_OR_RAISE(out, cast(*in, target));
    }
    if (to.id == TypeId::kUtf8 && !is_utf8(static_cast<const arrow::StringArray&>(*out)))
      return arrow::Status::Invalid("text that is no UTF-8");
    if (to.json && !is_json_text(static_cast<const arrow::StringArray&>(*out)))
      return arrow::Status::Invalid("text that is no JSON");
    return out;
  }

  // The bytes of all rows at once, and no row may begin inside a character.
  static bool is_utf8(const arrow::StringArray& text) {
    if (text.length() == 0) return true;
    const int32_t begin = text.value_offset(0), end = text.value_offset(text.length());
    if (begin == end) return true;
    const uint8_t* bytes = text.raw_data();
    if (!arrow::util::ValidateUTF8(bytes + begin, end - begin)) return false;
    for (int64_t row = 1; row < text.length(); ++row) {
      const int32_t at = text.value_offset(row);
      if (at < end && (bytes[at] & 0xc0) == 0x80) return false;
    }
    return true;
  }

  static bool is_json_text(const arrow::StringArray& text) {
    for (int64_t row = 0; row < text.length(); ++row) {
      if (!text.IsNull(row) && !is_json(text.GetView(row))) return false;
    }
    return true;
  }

  arrow::Result<ArrayPtr> from_extension(const arrow::ExtensionArray& in, const Type& to) {
    if (in.extension_type()->extension_name() != "arrow.uuid") return convert(in.storage(), to);
    const auto& bytes = static_cast<const arrow::FixedSizeBinaryArray&>(*in.storage());
    arrow::StringBuilder out(arrow_pool());
    for (int64_t row = 0; row < bytes.length(); ++row) {
      if (bytes.IsNull(row)) {
        ARROW_RETURN_NOT_OK(out.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(out.Append(uuid_text(bytes.GetValue(row))));
      }
    }
    return out.Finish();
  }

  static std::string uuid_text(const uint8_t* bytes) {
    std::string text;
    for (int i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += "0123456789abcdef"[bytes[i] >> 4];
      text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
  }

  arrow::Result<ArrayPtr> from_dictionary(const arrow::DictionaryArray& in, const Type& to) {
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, cast(in, in.dictionary()->type()));
    return convert(values, to);
  }

  // A map's layout is that of a list of structs.
  arrow::Result<ArrayPtr> from_list(const arrow::ListArray& in, const Type& to) {
    const int32_t begin = in.value_offset(0), end = in.value_offset(in.length());
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr items,
                          convert(in.values()->Slice(begin, end - begin), to.fields[0].type));
    std::shared_ptr<arrow::Buffer> offsets = in.value_offsets();
    if (begin != 0 || in.offset() != 0) {
      ARROW_ASSIGN_OR_RAISE(offsets, offsets_from_zero(in));
    }
    ARROW_ASSIGN_OR_RAISE(auto nulls, validity(in));
    return std::make_shared<arrow::ListArray>(arrow_type(to), in.length(), std::move(offsets),
                                              items, std::move(nulls), in.null_count());
  }

  static arrow::Result<std::shared_ptr<arrow::Buffer>> offsets_from_zero(
      const arrow::ListArray& in) {
    const auto count = static_cast<size_t>(in.length()) + 1;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                          arrow::AllocateBuffer(static_cast<int64_t>(count * 4), arrow_pool()));
    auto* offsets = reinterpret_cast<int32_t*>(out->mutable_data());
    for (size_t i = 0; i < count; ++i)
      offsets[i] = in.raw_value_offsets()[i] - in.raw_value_offsets()[0];
    return out;
  }

  static arrow::Result<std::shared_ptr<arrow::Buffer>> validity(const arrow::Array& in) {
    if (in.null_count() == 0) return nullptr;
    if (in.offset() == 0) return in.null_bitmap();
    return arrow::internal::CopyBitmap(arrow_pool(), in.null_bitmap_data(), in.offset(),
                                       in.length());
  }

  arrow::Result<ArrayPtr> from_struct(const arrow::StructArray& in, const Type& to) {
    arrow::ArrayVector members;
    for (size_t i = 0; i < to.fields.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto member, convert(in.field(static_cast<int>(i)), to.fields[i].type));
      members.push_back(std::move(member));
    }
    ARROW_ASSIGN_OR_RAISE(auto nulls, validity(in));
    return std::make_shared<arrow::StructArray>(arrow_type(to), in.length(), std::move(members),
                                                std::move(nulls), in.null_count());
  }

  arrow::compute::ExecContext context_;
  arrow::compute::CastOptions options_;
};

void find_misfits(const arrow::Array& in, int64_t begin, int64_t end, const Type& to, bool truncate,
                  std::vector<int64_t>& out) {
  if (convert(in.Slice(begin, end - begin), to, truncate).ok()) return;
  if (end - begin == 1) {
    out.push_back(begin);
    return;
  }
  const int64_t middle = begin + (end - begin) / 2;
  find_misfits(in, begin, middle, to, truncate, out);
  find_misfits(in, middle, end, to, truncate, out);
}

}  // namespace

arrow::Result<ArrayPtr> convert(const ArrayPtr& in, const Type& to, bool truncate) {
  return Conversion(truncate).convert(in, to);
}

Array export_columns(const std::string& subject, int64_t rows, const arrow::ArrayVector& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field("", column->type()));
  const arrow::StructArray all(arrow::struct_(std::move(fields)), rows, columns);
  ArrowArray c{};
  check_status(subject, arrow::ExportArray(all, &c));
  return Array(&c);
}

std::vector<int64_t> misfits(const arrow::Array& in, const Type& to, bool truncate) {
  std::vector<int64_t> out;
  if (in.length() > 0) find_misfits(in, 0, in.length(), to, truncate, out);
  return out;
}

}  // namespace patchbay
