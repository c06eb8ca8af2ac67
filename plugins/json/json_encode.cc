#include "json_encode.h"

#include "patchbay/encode_files.h"
#include "patchbay/json_text.h"

namespace patchbay {
namespace {

class JsonText final : public RowText {
 public:
  explicit JsonText(bool array) : array_(array) {}

  void begin(std::string& out) override {
    if (array_) out += '[';
  }
  void rows(std::string& out, const Batch& batch) override {
    const JsonRows rows(*batch.schema(), batch.array());
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
    : array_(config.get<std::string>("format") == "array"), key_(config.get<std::string>("key")) {}

std::vector<Schema> JsonEncode::bind(Call&, const std::vector<SchemaPtr>& in) {
  return object_streams(in);
}

std::unique_ptr<Reader> JsonEncode::open(Call&, std::vector<Input> inputs) {
  return encode_files(std::move(inputs.at(0)), key_,
                      [this](const Schema&) { return std::make_unique<JsonText>(array_); });
}

}  // namespace patchbay
