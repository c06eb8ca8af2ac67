#include "compress_encode.h"

#include "ending.h"
#include "gzip.h"
#include "zstd_frames.h"

namespace patchbay {
namespace {

// ISA-L has four levels for gzip's nine: 1 to 3, 4 to 6 and 7 to 9 are its 1, 2 and 3. Its level 0
// is left out: hardly quicker, and much larger.
uint32_t isal_level(int64_t level) { return static_cast<uint32_t>((level + 2) / 3); }

ObjectFilter parse_config(const Config& config) {
  const Method method = parse_method(config.get<std::string>("method"));
  const auto level = config.find<int64_t>("level");
  ObjectFilter out;
  switch (method) {
    case Method::kZstd:
      out.rename = [](std::string_view key) { return std::string(key) + ".zst"; };
      out.make = [level](const std::string&) {
        return zstd_encoder(static_cast<int>(level.value_or(3)));
      };
      break;
    case Method::kNone:
      out.rename = [](std::string_view key) { return std::string(key); };
      out.make = [](const std::string&) { return std::make_unique<CopyBytes>(); };
      break;
    default:
      out.rename = [](std::string_view key) { return std::string(key) + ".gz"; };
      out.make = [level](const std::string&) {
        return gzip_encoder(isal_level(level.value_or(1)));
      };
  }
  return out;
}

}  // namespace

CompressEncode::CompressEncode(Context&, const Config& config) : filter_(parse_config(config)) {}

std::vector<Schema> CompressEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return same_streams(in);
}

std::unique_ptr<Reader> CompressEncode::open(Call&, std::vector<Input> inputs) {
  return filter_objects(filter_, std::move(inputs.at(0)));
}

}  // namespace patchbay
