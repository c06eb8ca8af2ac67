// engine: duckdb. Rows come in, and results go out.
#include "duckdb.h"
#include "engine.h"
#include "engine_error.h"
#include "input_files.h"

namespace patchbay {
namespace {

struct InputTable {
  size_t table = 0;                 // the engine's number
  std::optional<InputFiles> files;  // where the stream is files, which the engine reads by itself
};

// Reads its inputs to their ends, then gives the rows of one query after the other.
class DuckDbReader final : public Reader {
 public:
  DuckDbReader(Call& call, const DuckDbConfig& config, std::vector<SqlQuery> queries,
               const Inputs& order, std::vector<Input> inputs)
      : order_(order),
        spill_directory_(config.spill_directory),
        parquet_files_(config.parquet_files),
        engine_(config),
        watch_(call, engine_.connection()),
        queries_(std::move(queries)),
        inputs_(std::move(inputs)),
        in_(inputs_.size()) {}

  Event next(Call& call) override {
    try {
      return next_event(call);
    } catch (const NoRoom& error) {
      call.throw_if_cancelled();  // the engine fails where the watch stopped it
      if (error.disk_full() || engine_.spill().is_full()) {
        throw Error(Code::kUnavailable, "spill_directory: " + spill_directory_ +
                                            ": the disk is full. Make room and run again, or name "
                                            "another folder");
      }
      find_damage(call);
      throw;
    } catch (const Error& error) {
      call.throw_if_cancelled();
      if (error.code() == Code::kData) find_damage(call);
      throw;
    }
  }

 private:
  // A query that fails over its data may have met a damaged file.
  void find_damage(Call& call) {
    if (!read_) return;
    const std::string key = engine_.damaged_file();
    call.throw_if_cancelled();
    if (!key.empty()) throw Error(Code::kData, key + ": is damaged: its rows can't be read");
  }

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
    auto& streams = in_[input];
    if (const auto* begin = std::get_if<StreamBegin>(&event)) {
      streams.resize(std::max<size_t>(streams.size(), begin->stream + 1));
      begin_stream(order_.from(call, input), *begin->schema, streams[begin->stream]);
    } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
      InputTable& stream = streams.at(batch->stream);
      if (stream.files) return take_chunks(call, stream, batch->batch);
      engine_.append(stream.table, std::move(batch->batch));
    }
  }

  void begin_stream(const std::string& node, const Schema& schema, InputTable& stream) {
    streams_.push_back(schema.name);
    if (!parquet_files_ || !is_object_schema(schema)) {
      stream.table = engine_.add_stream(node, schema);
      return;
    }
    stream.table = engine_.add_file_stream(node, schema.name);
    if (!stream.files) stream.files.emplace(engine_.spill().files());
  }

  void take_chunks(Call& call, InputTable& stream, const Batch& batch) {
    const ObjectView chunks(batch);
    for (int64_t row = 0; row < chunks.rows(); ++row) {
      call.throw_if_cancelled();
      if (stream.files->append(chunks[row]))
        engine_.add_file(stream.table, stream.files->path(), stream.files->key());
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
  const bool parquet_files_;
  DuckDb engine_;
  const adbc::CancelWatch watch_;
  std::vector<SqlQuery> queries_;
  std::vector<Input> inputs_;
  std::vector<std::vector<InputTable>> in_;  // by input and stream
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
                config.get<std::string>("spill_limit"), config.get<int64_t>("threads"),
                config.get<std::string>("files") == "parquet"} {}

  void check(Call&) override {
    check_spill_parent(config_.spill_directory);
    load_duckdb();
  }

  std::vector<Schema> describe(Call&, const std::vector<InputStream>& streams,
                               const std::vector<SqlQuery>& queries) override {
    for (const auto& stream : streams) {
      if (config_.parquet_files && is_object_schema(*stream.schema)) return {};
    }
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
