#include "json_encode.h"

#include "patchbay/json_rows.h"

namespace patchbay {
namespace {

class JsonText final : public FileEncoder {
 public:
  explicit JsonText(bool array) : array_(array) {}

  void begin(std::string& out) override {
    if (array_) out += '[';
  }
  void rows(std::string& out, Batch batch) override {
    const JsonRows rows(*batch.schema(), batch.array(), {.small_decimals_as_numbers = true});
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (array_) out += any_ ? ",\n" : "\n";
      any_ = true;
      rows.append(out, row);
      if (!array_) out += '\n';
    }
  }
  void end(std::string& out) override {
    if (array_) out += "\n]\n";
  }

 private:
  const bool array_;
  bool any_ = false;
};

}  // namespace

JsonEncode::JsonEncode(Context&, const Config& config)
    : array_(config.get<std::string>("format") == "array"), parts_(file_parts(config)) {}

std::vector<Schema> JsonEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return object_streams(in);
}

std::unique_ptr<Reader> JsonEncode::open(Call&, std::vector<Input> inputs) {
  return encode_files(std::move(inputs.at(0)), parts_,
                      [this](const SchemaPtr&) { return std::make_unique<JsonText>(array_); });
}

}  // namespace patchbay
