#include "copy_encode.h"

#include "copy_text.h"

namespace patchbay {
namespace {

constexpr std::string_view kBinaryHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view kBinaryTrailer{"\377\377", 2};

}  // namespace

CopyEncoder::CopyEncoder(SchemaPtr stream, std::vector<Pair> pairs)
    : stream_(std::move(stream)), pairs_(std::move(pairs)) {
  for (const auto& [field, column] : pairs_) {
    encoders_.push_back(find_encoder(stream_->fields[field].type, column.type));
    binary_ = binary_ && encoders_.back() != nullptr;
  }
}

std::string_view CopyEncoder::header() const { return binary_ ? kBinaryHeader : ""; }
std::string_view CopyEncoder::trailer() const { return binary_ ? kBinaryTrailer : ""; }

RowEncoder::RowEncoder(const CopyEncoder& encoder, const Batch& batch) : encoder_(encoder) {
  for (size_t i = 0; i < encoder.pairs_.size(); ++i) {
    const auto& [field, column] = encoder.pairs_[i];
    const ColumnOfBatch from{encoder.stream_->fields[field].type, *batch.array().children[field],
                             batch.array().offset, batch.rows()};
    columns_.push_back(encoder.binary_ ? encoder.encoders_[i](from, column.type)
                                       : make_text_field(from, column.type));
  }
}

std::string RowEncoder::append(WireBuffer& out, int64_t row) const {
  const size_t begin = out.size();
  const bool binary = encoder_.binary_;
  if (binary) out.put(static_cast<int16_t>(columns_.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!binary && i > 0) out.append("\t");
    if (const char* why = columns_[i]->append(out, row)) {
      out.truncate(begin);
      return encoder_.pairs_[i].column.name + ": " + why;
    }
  }
  if (!binary) out.append("\n");
  return "";
}

}  // namespace patchbay
