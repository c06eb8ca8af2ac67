#include "csv_decode.h"

#include "csv_refused.h"
#include "csv_stream.h"

namespace patchbay {
namespace {

CsvDecodeConfig parse_config(const Config& config) {
  CsvDecodeConfig out;
  out.dialect = parse_dialect(config);
  out.header = config.get<bool>("header");
  out.guess = config.get<bool>("guess");
  out.guess_delimiter = out.header && !config.find<std::string>("delimiter");
  out.encoding = config.get<std::string>("encoding");
  out.max_row_bytes = static_cast<size_t>(config.get<int64_t>("max_row_bytes"));
  out.skip_lines = config.get<int64_t>("skip_lines");
  out.threads = static_cast<unsigned>(config.get<int64_t>("threads"));
  out.columns = config.get_or<std::vector<std::string>>("columns", {});
  for (const auto& name : config.at("types").getMemberNames()) {
    try {
      out.types[name] = parse_type(config.at("types")[name].asString());
    } catch (const Error& error) {
      config_error("types." + name, error.what());
    }
  }
  return out;
}

}  // namespace

CsvDecode::CsvDecode(Context& context, const Config& config)
    : context_(context), config_(parse_config(config)) {}

std::unique_ptr<Reader> CsvDecode::open(Call&, std::vector<Input> inputs) {
  return read_csv(context_, config_, std::move(inputs.at(0)));
}

std::optional<std::string> CsvDecode::file_of(Call&, std::span<const std::string_view> records) {
  return file_of_refused(config_, records);
}

}  // namespace patchbay
