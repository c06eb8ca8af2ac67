// JSON files to rows.
#pragma once

#include "json_stream.h"
#include "patchbay/plugin.h"

namespace patchbay {

class JsonDecode final : public Transform {
 public:
  JsonDecode(Context& context, const Config& config);
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;
  std::optional<std::string> file_of(Call& call,
                                     std::span<const std::string_view> records) override;

 private:
  const JsonDecodeConfig config_;
};

}  // namespace patchbay
