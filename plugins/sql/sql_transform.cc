#include <array>

#include "engine.h"

namespace patchbay {

std::string stream_name(const SqlQuery& query, const std::vector<std::string>& streams) {
  if (!query.stream.empty()) return query.stream;
  return streams.size() == 1 ? streams[0] : "result";
}

namespace {

struct EngineName {
  const char* name;
  std::unique_ptr<Engine> (*make)(const Config& config);
};
constexpr std::array kEngines{EngineName{"duckdb", make_duckdb_engine},
                              EngineName{"bigquery", make_bigquery_engine}};

std::unique_ptr<Engine> make_engine(const Config& config) {
  const auto name = config.get<std::string>("engine");
  for (const auto& engine : kEngines) {
    if (engine.name == name) return engine.make(config);
  }
  config_error("engine", "there is no " + name);
}

class SqlTransform final : public Transform {
 public:
  SqlTransform(Context& context, const Config& config)
      : inputs_(context), config_(config), engine_(make_engine(config)) {}

  void check(Call& call) override {
    read_queries(config_);
    engine_->check(call);
  }

  // Where a table is unknown yet, only the data tells: one of the inputs may not be known.
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override {
    const auto queries = read_queries(config_);
    std::vector<InputStream> streams;
    std::vector<std::string> names;
    for (size_t i = 0; i < in.size(); ++i) {
      streams.push_back({inputs_.from(call, i), in[i]});
      names.push_back(in[i]->name);
    }
    try {
      std::vector<Schema> out = engine_->describe(call, streams, queries);
      for (size_t i = 0; i < out.size(); ++i) out[i].name = stream_name(queries[i], names);
      return out;
    } catch (const UnknownTable&) {
      return {};
    }
  }

  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override {
    return engine_->open(call, read_queries(config_), inputs_, std::move(inputs));
  }

 private:
  const Inputs inputs_;
  const Config config_;
  const std::unique_ptr<Engine> engine_;
};

}  // namespace

}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::SqlTransform>("sql"))
