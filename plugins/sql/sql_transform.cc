#include <numeric>

#include "duckdb.h"
#include "engine_error.h"
#include "patchbay/inputs.h"
#include "patchbay/plugin.h"

namespace patchbay {
namespace {

// The name of a query's stream, where the configuration leaves it open.
std::string stream_name(const Query& query, const std::vector<std::string>& streams) {
  if (!query.stream.empty()) return query.stream;
  return streams.size() == 1 ? streams[0] : "result";
}

// Reads its inputs to their ends, then gives the rows of one query after the other.
class SqlReader final : public Reader {
 public:
  SqlReader(Call& call, const DuckDbConfig& config, std::vector<Query> queries, const Inputs& order,
            std::vector<Input> inputs)
      : order_(order),
        engine_(config),
        watch_(call, engine_.connection()),
        queries_(std::move(queries)),
        inputs_(std::move(inputs)),
        tables_(inputs_.size()) {}

  Event next(Call& call) override {
    try {
      return next_event(call);
    } catch (const Error&) {
      call.throw_if_cancelled();  // the engine fails where the watch stopped it
      throw;
    }
  }

 private:
  Event next_event(Call& call) {
    if (!read_) read_inputs(call);
    for (;;) {
      call.throw_if_cancelled();
      if (at_ == queries_.size()) return End{};
      if (!rows_) return begin_query();
      if (held_.rows() == 0 && !fetch()) {
        rows_.reset();
        ++at_;
        continue;
      }
      return BatchEvent{static_cast<uint32_t>(at_), take(call.max_rows())};
    }
  }

  void read_inputs(Call& call) {
    std::vector<uint32_t> open(inputs_.size());
    std::iota(open.begin(), open.end(), 0);
    while (!open.empty()) {
      const size_t place = order_.wait_ready(call, open);
      if (!read_event(call, open[place])) open.erase(open.begin() + static_cast<ptrdiff_t>(place));
    }
    read_ = true;
    if (streams_.empty()) queries_.clear();  // nothing came: nothing to ask
    engine_.name_tables();
    engine_.begin();
  }

  // False at the input's end.
  bool read_event(Call& call, size_t input) {
    Event event = inputs_[input].next(call);
    auto& tables = tables_[input];
    if (const auto* begin = std::get_if<StreamBegin>(&event)) {
      tables.resize(std::max<size_t>(tables.size(), begin->stream + 1));
      tables[begin->stream] = engine_.add_stream(order_.from(call, input), *begin->schema);
      streams_.push_back(begin->schema->name);
    } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
      engine_.append(tables.at(batch->stream), std::move(batch->batch));
    }
    return !std::holds_alternative<End>(event);
  }

  Event begin_query() {
    const Query& query = queries_[at_];
    result_ = engine_.describe(query);
    result_.schema.name = stream_name(query, streams_);
    schema_ = std::make_shared<const Schema>(result_.schema);
    rows_.emplace(engine_.run(query, result_));
    return StreamBegin{static_cast<uint32_t>(at_), schema_};
  }

  bool fetch() {
    try {
      auto array = rows_->next();
      while (array && array->get().length == 0) array = rows_->next();
      held_ = array ? Batch(schema_, std::move(*array)) : Batch();
      return array.has_value();
    } catch (const adbc::Failure& failure) {
      const Query& query = queries_[at_];
      throw_query_error(failure, query.origin, query.sql, result_.lines_before);
    }
  }

  Batch take(int64_t most) {
    if (held_.rows() <= most) return std::exchange(held_, Batch());
    Batch part = held_.slice(0, most);
    held_ = held_.slice(most, held_.rows() - most);
    return part;
  }

  const Inputs& order_;
  DuckDb engine_;
  const adbc::CancelWatch watch_;
  std::vector<Query> queries_;
  std::vector<Input> inputs_;
  std::vector<std::vector<size_t>> tables_;  // by input and stream: the engine's number
  std::vector<std::string> streams_;
  bool read_ = false;
  size_t at_ = 0;  // the query that runs
  Result result_;
  SchemaPtr schema_;
  std::optional<adbc::Rows> rows_;
  Batch held_;  // rows that were fetched and not given yet
};

class SqlTransform final : public Transform {
 public:
  SqlTransform(Context& context, const Config& config)
      : inputs_(context),
        config_(config),
        engine_{config.get<std::string>("memory_limit"), config.get<std::string>("spill_directory"),
                config.get<std::string>("spill_limit"), config.get<int64_t>("threads")} {}

  void check(Call&) override {
    read_queries(config_);
    check_spill_parent(engine_.spill_directory);
    load_duckdb();
  }

  // Where a table is unknown yet, only the data tells: one of the inputs may not be known.
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override {
    const auto queries = read_queries(config_);
    DuckDb engine(engine_);
    std::vector<std::string> streams;
    for (size_t i = 0; i < in.size(); ++i) {
      engine.add_stream(inputs_.from(call, i), *in[i]);
      streams.push_back(in[i]->name);
    }
    engine.name_tables();
    std::vector<Schema> out;
    for (const auto& query : queries) {
      try {
        out.push_back(engine.describe(query).schema);
      } catch (const UnknownTable&) {
        return {};
      }
      out.back().name = stream_name(query, streams);
    }
    return out;
  }

  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override {
    return std::make_unique<SqlReader>(call, engine_, read_queries(config_), inputs_,
                                       std::move(inputs));
  }

 private:
  const Inputs inputs_;
  const Config config_;
  const DuckDbConfig engine_;
};

}  // namespace

}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::SqlTransform>("sql"))
