// engine: duckdb. Rows come in, and results go out.
#include "duckdb.h"
#include "engine.h"
#include "engine_error.h"

namespace patchbay {
namespace {

// Reads its inputs to their ends, then gives the rows of one query after the other.
class DuckDbReader final : public Reader {
 public:
  DuckDbReader(Call& call, const DuckDbConfig& config, std::vector<SqlQuery> queries,
               const Inputs& order, std::vector<Input> inputs)
      : order_(order),
        spill_directory_(config.spill_directory),
        engine_(config),
        watch_(call, engine_.connection()),
        queries_(std::move(queries)),
        inputs_(std::move(inputs)),
        tables_(inputs_.size()) {}

  Event next(Call& call) override {
    try {
      return next_event(call);
    } catch (const NoRoom& error) {
      call.throw_if_cancelled();
      if (!error.disk_full() && !engine_.spill().is_full()) throw;
      throw Error(Code::kUnavailable, "spill_directory: " + spill_directory_ +
                                          ": the disk is full. Make room and run again, or name "
                                          "another folder");
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
    patchbay::read_inputs(call, order_, inputs_, [&](size_t input, Event event) {
      take_in(call, input, std::move(event));
    });
    read_ = true;
    if (streams_.empty()) queries_.clear();  // nothing came: nothing to ask
    engine_.name_tables();
    engine_.begin();
  }

  void take_in(Call& call, size_t input, Event event) {
    auto& tables = tables_[input];
    if (const auto* begin = std::get_if<StreamBegin>(&event)) {
      tables.resize(std::max<size_t>(tables.size(), begin->stream + 1));
      tables[begin->stream] = engine_.add_stream(order_.from(call, input), *begin->schema);
      streams_.push_back(begin->schema->name);
    } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
      engine_.append(tables.at(batch->stream), std::move(batch->batch));
    }
  }

  Event begin_query() {
    const SqlQuery& query = queries_[at_];
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
      const SqlQuery& query = queries_[at_];
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
  const std::string spill_directory_;
  DuckDb engine_;
  const adbc::CancelWatch watch_;
  std::vector<SqlQuery> queries_;
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

class DuckDbEngine final : public Engine {
 public:
  explicit DuckDbEngine(const Config& config)
      : config_{config.get<std::string>("memory_limit"), config.get<std::string>("spill_directory"),
                config.get<std::string>("spill_limit"), config.get<int64_t>("threads")} {}

  void check(Call&) override {
    check_spill_parent(config_.spill_directory);
    load_duckdb();
  }

  std::vector<Schema> describe(Call&, const std::vector<InputStream>& streams,
                               const std::vector<SqlQuery>& queries) override {
    DuckDb engine(config_);
    for (const auto& stream : streams) engine.add_stream(stream.node, *stream.schema);
    engine.name_tables();
    std::vector<Schema> out;
    for (const auto& query : queries) out.push_back(engine.describe(query).schema);
    return out;
  }

  std::unique_ptr<Reader> open(Call& call, std::vector<SqlQuery> queries, const Inputs& order,
                               std::vector<Input> inputs) override {
    return std::make_unique<DuckDbReader>(call, config_, std::move(queries), order,
                                          std::move(inputs));
  }

 private:
  const DuckDbConfig config_;
};

}  // namespace

std::unique_ptr<Engine> make_duckdb_engine(const Config& config) {
  return std::make_unique<DuckDbEngine>(config);
}

}  // namespace patchbay
