#include "bq_sink.h"

#include <algorithm>

#include "bq_load.h"
#include "bq_query.h"
#include "bq_schema.h"
#include "bq_stream.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

BqConfig parse_config(const Config& config) {
  BqConfig out;
  out.access = parse_access(config);
  out.stream = config.get<std::string>("method") == "stream";
  out.write = config.get<std::string>("write");
  out.keys = config.get_or<std::vector<std::string>>("keys", {});
  out.create = config.get<bool>("create");
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) out.tables[stream] = tables[stream].asString();
  if (out.write == "upsert" && out.keys.empty())
    config_error("keys", "missing, needed with write: upsert");
  if (out.stream && out.write != "append")
    config_error("write", "must be append with method: stream");
  return out;
}

// Of each key's rows the last; a row whose key is null is one of its own.
std::string last_versions(const std::string& staging, const Json::Value& keys) {
  std::string sql = "(SELECT * FROM " + staging +
                    " WHERE true QUALIFY ROW_NUMBER() OVER (PARTITION BY " + bq_columns(keys) +
                    " ORDER BY `" + kBqRowNumber + "` DESC) = 1";
  for (const auto& key : keys) sql += " OR `" + key.asString() + "` IS NULL";
  return sql + ")";
}

std::string merge_sql(const std::string& table, const std::string& staging,
                      const Json::Value& token) {
  std::string on, set;
  for (const auto& key : token["keys"]) {
    const std::string name = "`" + key.asString() + "`";
    on += (on.empty() ? "t." : " AND t.") + name + " = s." + name;
  }
  for (const auto& column : token["columns"]) {
    const std::string name = "`" + column.asString() + "`";
    set += (set.empty() ? "" : ", ") + name + " = s." + name;
  }
  return "MERGE " + table + " t USING " + last_versions(staging, token["keys"]) + " s ON " + on +
         " WHEN MATCHED THEN UPDATE SET " + set + " WHEN NOT MATCHED THEN INSERT (" +
         bq_columns(token["columns"]) + ") VALUES (" + bq_columns(token["columns"], "s.") + ");\n";
}

void require_rows_taken(const std::string& table, const Json::Value& resource) {
  const Json::Value& type = resource["type"];
  if (type.isString() && type.asString() != "TABLE")
    config_error("tables", table + " is a " + type.asString() + ", which takes no rows");
}

constexpr uint32_t kMostFailedJobs = 1000;

// Throws where another commit job is no use now.
void wait_after_failure(Call& call, const std::string& id, const BqJobOutcome& outcome,
                        uint32_t tries) {
  if (outcome.reason == "notFound")
    throw Error(Code::kNotFound, "job " + id + ": " + outcome.message);
  const GoogleRetry retry = retry_of(outcome.reason);
  const auto wait = retry == GoogleRetry::kSoon ? call.backoff(tries) : std::nullopt;
  if (!wait) {
    throw Error(retry == GoogleRetry::kNo ? Code::kRemote : Code::kUnavailable,
                "job " + id + ": " + outcome.reason + ": " + outcome.message);
  }
  wait_or_cancel(call, *wait);
}

// What stays in BigQuery keeps its types, also those that a stream has not.
Json::Value new_table_schema(const Schema& stream) {
  if (stream.reference.empty()) return bq_schema(stream);
  Json::Value schema;
  schema["fields"] = reference_of(stream).fields;
  return schema;
}

}  // namespace

std::string bq_columns(const Json::Value& names, const std::string& prefix) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : ", ") + prefix + "`" + name.asString() + "`";
  return out;
}

std::string bq_staging_name(const std::string& txn, uint64_t writer) {
  std::string name = "_patchbay_" + txn + "_" + std::to_string(writer);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

BqSink::BqSink(Context&, const Config& config) : config_(parse_config(config)) {}

std::unique_ptr<BqClient> BqSink::make_client(Call& call) {
  if (!credentials_) credentials_ = bq_credentials(call, config_.access.credentials);
  return std::make_unique<BqClient>(config_.access.place, credentials_, config_.access.http);
}

BqClient& BqSink::client(Call& call) {
  if (!client_) client_ = make_client(call);
  return *client_;
}

std::string BqSink::table_of(const std::string& stream) const {
  const auto found = config_.tables.find(stream);
  return found == config_.tables.end() ? stream : found->second;
}

void BqSink::check(Call& call) {
  if (client(call).has_dataset(call) || config_.create) return;
  throw Error(Code::kNotFound, "dataset " + config_.access.place.project + "." +
                                   config_.access.place.dataset +
                                   ": is not there, and create is false");
}

Json::Value BqSink::plan_schema(Call& call, const SchemaPtr& stream) {
  for (const auto& key : config_.keys) {
    if (stream->index_of(key) < 0)
      config_error("keys", "stream " + stream->name + " has no field " + key);
  }
  if (!stream->reference.empty()) {
    require_same_server("stream " + stream->name, reference_of(*stream).place,
                        config_.access.place);
  }
  const std::string table = table_of(stream->name);
  Json::Value steps(Json::arrayValue);
  const auto add = [&](const char* action) -> Json::Value& {
    Json::Value step;
    step["action"] = action;
    step["table"] = table;
    return steps.append(step);
  };
  const auto found = client(call).get_table(call, table);
  if (found) {
    require_rows_taken(table, *found);
    for (const auto& missing : missing_columns(*stream, (*found)["schema"]["fields"])) {
      Json::Value& step = add("add_column");
      step["field"] = missing.path;
      step["type"] = type_name(missing.type);
    }
    return steps;
  }
  new_table_schema(*stream);  // throws for types that BigQuery has not
  const bool dataset = client(call).has_dataset(call);
  if (!config_.create) {
    throw Error(Code::kNotFound,
                (dataset ? "table " + table : "dataset " + config_.access.place.dataset) +
                    ": is not there, and create is false");
  }
  if (!dataset) add("create_dataset");
  add("create_table");
  return steps;
}

void BqSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) {
  Json::Value columns(Json::arrayValue);
  for (const auto& step : steps) {
    if (!step.get("apply", true).asBool()) continue;
    const std::string action = step["action"].asString();
    if (action == "add_column") {
      columns.append(step);
      continue;
    }
    call.durable_step("bq.schema");
    if (action == "create_dataset") {
      client(call).create_dataset(call);
    } else {
      client(call).create_table(call, step["table"].asString(), new_table_schema(*stream),
                                std::chrono::seconds(0));
    }
  }
  if (!columns.empty()) add_columns(call, table_of(stream->name), columns);
}

// In one request: BigQuery takes few changes of a table in ten seconds.
void BqSink::add_columns(Call& call, const std::string& table, const Json::Value& steps) {
  call.durable_step("bq.schema");
  const auto found = client(call).get_table(call, table);
  if (!found) throw Error(Code::kNotFound, "table " + table + ": is gone");
  Json::Value schema = (*found)["schema"];
  for (const auto& step : steps) {
    schema = with_column(std::move(schema), step["field"].asString(),
                         parse_type(step["type"].asString()));
  }
  client(call).patch_schema(call, table, schema, (*found)["etag"].asString());
}

std::unique_ptr<Writer> BqSink::open(Call& call, const SchemaPtr& stream, const std::string& txn) {
  const std::string table = table_of(stream->name);
  const auto found = client(call).get_table(call, table);
  if (!found) throw Error(Code::kNotFound, "table " + table + ": is not there");
  const Json::Value& schema = (*found)["schema"];
  if (txn != txn_) writers_ = 0;
  txn_ = txn;
  const std::string staging = bq_staging_name(txn, ++writers_);
  if (config_.stream) {
    return std::make_unique<BqStreamWriter>(make_client(call), stream, schema, table, staging,
                                            config_.keys.empty() ? stream->keys : config_.keys);
  }
  Json::Value token;
  token["staging"] = staging;
  token["table"] = table;
  token["write"] = config_.write;
  token["keys"] = Json::arrayValue;
  for (const auto& key : config_.keys) token["keys"].append(key);
  token["columns"] = Json::arrayValue;
  for (const auto& field : schema["fields"]) token["columns"].append(field["name"]);
  if (!stream->reference.empty()) {
    return std::make_unique<BqQueryWriter>(make_client(call), stream, schema, staging,
                                           std::move(token));
  }
  return std::make_unique<BqLoadWriter>(make_client(call), stream, schema, staging,
                                        std::move(token));
}

// One table: a copy job, which moves no bytes through a query. Several, or an upsert: one
// transaction.
Json::Value BqSink::commit_job(const std::vector<Json::Value>& tokens) const {
  const auto reference = [&](const std::string& table) {
    Json::Value out;
    out["projectId"] = config_.access.place.project;
    out["datasetId"] = config_.access.place.dataset;
    out["tableId"] = table;
    return out;
  };
  Json::Value job;
  if (tokens.size() == 1 && tokens[0]["write"].asString() != "upsert") {
    Json::Value& copy = job["copy"];
    copy["sourceTable"] = reference(tokens[0]["staging"].asString());
    copy["destinationTable"] = reference(tokens[0]["table"].asString());
    copy["createDisposition"] = "CREATE_NEVER";
    copy["writeDisposition"] =
        tokens[0]["write"].asString() == "replace" ? "WRITE_TRUNCATE" : "WRITE_APPEND";
    return job;
  }
  std::string sql = "BEGIN TRANSACTION;\n";
  for (const auto& token : tokens) {
    const std::string table = bq_table(config_.access.place, token["table"].asString());
    const std::string staging = bq_table(config_.access.place, token["staging"].asString());
    const std::string columns = bq_columns(token["columns"]);
    const std::string write = token["write"].asString();
    if (write == "upsert") {
      sql += merge_sql(table, staging, token);
      continue;
    }
    if (write == "replace") sql += "DELETE FROM " + table + " WHERE true;\n";
    sql += "INSERT INTO " + table + " (" + columns + ") SELECT " + columns + " FROM " + staging +
           ";\n";
  }
  job["query"]["query"] = sql + "COMMIT TRANSACTION;";
  job["query"]["useLegacySql"] = false;
  return job;
}

// Ids are derived from the transaction: after a crash the job is found again, and its own outcome
// decides. A job that failed did nothing, so the next one takes the next id; those that failed in
// earlier runs are passed over.
void BqSink::commit(Call& call, const std::string& txn, uint64_t,
                    std::span<const std::string> texts) {
  if (config_.stream) return;
  std::vector<Json::Value> tokens;
  for (const auto& text : texts) tokens.push_back(parse_json(text));
  const Json::Value configuration = commit_job(tokens);
  for (uint32_t number = 1, tries = 0;; ++number) {
    const std::string id = "patchbay_" + txn + "_commit_" + std::to_string(number);
    call.durable_step("bq.commit.before");
    const BqJobOutcome outcome = client(call).run_job(call, id, configuration);
    call.durable_step("bq.commit.after");
    if (outcome.ok) break;
    if (outcome.repeated && tries == 0 && number < kMostFailedJobs) continue;
    wait_after_failure(call, id, outcome, ++tries);
  }
  for (const auto& token : tokens) client(call).delete_table(call, token["staging"].asString());
}

void BqSink::abort(Call& call, std::span<const std::string> txns) {
  if (config_.stream) return;
  for (const auto& txn : txns) {
    for (uint64_t writer = 1, missing = 0; missing < 2; ++writer) {
      const std::string staging = bq_staging_name(txn, writer);
      const bool there = client(call).delete_table(call, staging);
      if (there)
        client(call).cancel_job(call, bq_query_job(staging));  // it may run, and cost, still
      missing = there ? 0 : missing + 1;
    }
  }
}

}  // namespace patchbay
