#include "bq_source.h"

#include <algorithm>

#include "bq_cells.h"
#include "patchbay/bq_reference.h"

namespace patchbay {
namespace {

// Page after page of a table or of a query's result.
class BqReader final : public Reader {
 public:
  BqReader(std::unique_ptr<BqClient> client, std::string stream, std::string table,
           std::optional<std::string> query)
      : client_(std::move(client)),
        stream_(std::move(stream)),
        table_(std::move(table)),
        query_(std::move(query)) {}

  Event next(Call& call) override {
    if (!schema_) return begin(call);
    const auto left = [&] { return page_["rows"].size() - row_; };
    while (left() == 0) {
      if (token_.empty()) return End{};
      fetch(call);
    }
    BatchBuilder batch(schema_);
    for (int64_t most = call.max_rows(); left() > 0 && most > 0; --most)
      append_cells(batch, page_["rows"][row_++]);
    return BatchEvent{0, batch.finish()};
  }

  // Read whole, each run; a part of a table is no resting place.
  Checkpoint checkpoint(Call&, Json::Value&) override {
    const bool done = schema_ && token_.empty() && row_ == page_["rows"].size();
    return done ? Checkpoint::kUnchanged : Checkpoint::kNotNow;
  }

 private:
  Event begin(Call& call) {
    Json::Value fields;
    if (query_) {
      page_ = client_->start_query(call, *query_);
      job_ = page_["jobReference"]["jobId"].asString();
      fields = page_["schema"]["fields"];
    } else {
      const auto table = client_->get_table(call, table_);
      if (!table)
        throw Error(Code::kNotFound,
                    "table " + table_ + ": is not in dataset " + client_->place().dataset);
      fields = (*table)["schema"]["fields"];
      page_ = client_->list_rows(call, table_, "");
    }
    token_ = page_["pageToken"].asString();
    schema_ = std::make_shared<const Schema>(schema_of_table(stream_, fields));
    return StreamBegin{0, schema_};
  }

  void fetch(Call& call) {
    page_ =
        query_ ? client_->query_page(call, job_, token_) : client_->list_rows(call, table_, token_);
    token_ = page_["pageToken"].asString();
    row_ = 0;
  }

  std::unique_ptr<BqClient> client_;
  const std::string stream_, table_;
  const std::optional<std::string> query_;
  SchemaPtr schema_;
  Json::Value page_;
  Json::ArrayIndex row_ = 0;
  std::string token_, job_;
};

// Begins the stream, and that is all: its rows stay.
class BqTableReader final : public Reader {
 public:
  explicit BqTableReader(Schema schema)
      : schema_(std::make_shared<const Schema>(std::move(schema))) {}

  Event next(Call&) override {
    if (!schema_) return End{};
    return StreamBegin{0, std::exchange(schema_, nullptr)};
  }

 private:
  SchemaPtr schema_;
};

}  // namespace

BqSource::BqSource(Context&, const Config& config)
    : access_(parse_access(config)),
      by_reference_(config.get<std::string>("method") == "reference"),
      query_(config.find<std::string>("query")) {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
  if (query_ && by_reference_)
    config_error("query", "not with method: reference; let `sql` with engine: bigquery run it");
  if (!query_ && tables_.empty()) config_error("tables", "missing: name the tables, or a query");
}

std::unique_ptr<BqClient> BqSource::make_client(Call& call) {
  if (!credentials_) credentials_ = bq_credentials(call, access_.credentials);
  return std::make_unique<BqClient>(access_.place, credentials_, access_.http);
}

void BqSource::check(Call& call) {
  if (make_client(call)->has_dataset(call)) return;
  throw Error(Code::kNotFound,
              "dataset " + access_.place.project + "." + access_.place.dataset + ": is not there");
}

std::vector<Schema> BqSource::discover(Call& call) {
  if (query_) return {{"query", {}, {}}};
  const auto client = make_client(call);
  std::vector<Schema> out;
  for (const auto& [stream, table] : tables_)
    out.push_back(schema_of(call, *client, stream, table));
  return out;
}

Schema BqSource::schema_of(Call& call, BqClient& client, const std::string& stream,
                           const std::string& table) const {
  const auto found = client.get_table(call, table);
  if (!found)
    throw Error(Code::kNotFound, "table " + table + ": is not in dataset " + access_.place.dataset);
  const Json::Value& fields = (*found)["schema"]["fields"];
  if (!by_reference_) return schema_of_table(stream, fields);
  const BqPlace& place = access_.place;
  return schema_of_reference(
      stream, {place, access_.http, "SELECT * FROM " + bq_table(place, table), fields});
}

std::vector<Split> BqSource::plan(Call&, const std::vector<std::string>& streams, uint32_t) {
  const auto wanted = [&](const std::string& stream) {
    return streams.empty() || std::find(streams.begin(), streams.end(), stream) != streams.end();
  };
  std::vector<Split> splits;
  // Each is read whole, in each run.
  const auto add = [&](Split split, const char* what, const std::string& from) {
    split.complete = true;
    split.identity[what] = from;
    splits.push_back(std::move(split));
  };
  if (query_ && wanted("query"))
    add({"query", "query", false, Json::objectValue, false}, "query", *query_);
  for (const auto& [stream, table] : tables_) {
    if (!wanted(stream)) continue;
    Split split{stream, stream, false, Json::objectValue, false};
    split.detail["table"] = table;
    add(std::move(split), "table", table);
  }
  return splits;
}

std::unique_ptr<Reader> BqSource::open(Call& call, const Split& split, const Json::Value&) {
  const std::string table = split.detail["table"].asString();
  if (by_reference_) {
    return std::make_unique<BqTableReader>(
        schema_of(call, *make_client(call), split.stream, table));
  }
  return std::make_unique<BqReader>(make_client(call), split.stream, table, query_);
}

}  // namespace patchbay
