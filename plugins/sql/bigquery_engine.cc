// engine: bigquery. Tables come by reference, and so do the results: BigQuery is only asked what
// each query would give; the sink has it run.
#include "bigquery_query.h"
#include "engine.h"
#include "patchbay/bq_reference.h"
#include "table_names.h"

namespace patchbay {
namespace {

// The tables that come in, and what BigQuery makes of queries over them.
class BigQueryTables {
 public:
  void add(const InputStream& stream) {
    BqReference reference = reference_of(*stream.schema);
    if (!references_.empty()) {
      require_same_server("stream " + stream.schema->name, reference.place, references_[0].place);
    }
    references_.push_back(std::move(reference));
    origins_.push_back({stream.node, stream.schema->name});
    names_.push_back(stream.schema->name);
  }
  bool empty() const { return references_.empty(); }

  Schema describe(Call& call, const SqlQuery& query, const std::optional<Secret>& credentials) {
    BqReference result = references_.at(0);
    if (!client_) {
      client_ =
          std::make_unique<BqClient>(result.place, bq_credentials(call, credentials), result.http);
    }
    std::vector<std::pair<std::string, std::string>> tables;
    for (const auto& [name, place] : short_names(origins_))
      tables.emplace_back(name, references_[place].query);
    const BigQueryText text = compose_query(tables, query);
    const BqDryRun found = client_->dry_run(call, text.sql);
    if (!found.outcome.ok)
      throw_refusal(query, text, found.outcome, known(unqualified_table(found.outcome.message)));
    check_columns(query, found.fields);
    result.query = text.sql;
    result.fields = found.fields;
    return schema_of_reference(stream_name(query, names_), result);
  }

 private:
  std::string known(const std::string& wanted) const {
    std::vector<TableOrigin> names;
    for (const auto& [name, place] : short_names(origins_)) names.push_back({"", name});
    return wanted.empty() ? "" : known_tables(names, wanted);
  }

  std::vector<BqReference> references_;
  std::vector<TableOrigin> origins_;
  std::vector<std::string> names_;
  std::unique_ptr<BqClient> client_;
};

class BigQueryReader final : public Reader {
 public:
  BigQueryReader(std::optional<Secret> credentials, std::vector<SqlQuery> queries,
                 const Inputs& order, std::vector<Input> inputs)
      : credentials_(std::move(credentials)),
        queries_(std::move(queries)),
        order_(order),
        inputs_(std::move(inputs)) {}

  Event next(Call& call) override {
    if (!std::exchange(read_, true)) read_tables(call);
    if (at_ == queries_.size() || tables_.empty()) return End{};
    Schema schema = tables_.describe(call, queries_[at_], credentials_);
    return StreamBegin{static_cast<uint32_t>(at_++), std::make_shared<Schema>(std::move(schema))};
  }

 private:
  void read_tables(Call& call) {
    read_inputs(call, order_, inputs_, [&](size_t input, const Event& event) {
      if (const auto* begin = std::get_if<StreamBegin>(&event))
        tables_.add({order_.from(call, input), begin->schema});
    });
  }

  const std::optional<Secret> credentials_;
  const std::vector<SqlQuery> queries_;
  const Inputs& order_;
  std::vector<Input> inputs_;
  BigQueryTables tables_;
  bool read_ = false;
  size_t at_ = 0;
};

class BigQueryEngine final : public Engine {
 public:
  explicit BigQueryEngine(const Config& config)
      : credentials_(config.find<Secret>("credentials")) {}

  void check(Call& call) override { bq_credentials(call, credentials_); }

  std::vector<Schema> describe(Call& call, const std::vector<InputStream>& streams,
                               const std::vector<SqlQuery>& queries) override {
    BigQueryTables tables;
    for (const auto& stream : streams) tables.add(stream);
    std::vector<Schema> out;
    for (const auto& query : queries) out.push_back(tables.describe(call, query, credentials_));
    return out;
  }

  std::unique_ptr<Reader> open(Call&, std::vector<SqlQuery> queries, const Inputs& order,
                               std::vector<Input> inputs) override {
    return std::make_unique<BigQueryReader>(credentials_, std::move(queries), order,
                                            std::move(inputs));
  }

 private:
  const std::optional<Secret> credentials_;
};

}  // namespace

std::unique_ptr<Engine> make_bigquery_engine(const Config& config) {
  return std::make_unique<BigQueryEngine>(config);
}

}  // namespace patchbay
