#include "bq_sink.h"

#include <algorithm>

#include "bq_load.h"
#include "bq_names.h"
#include "bq_query.h"
#include "bq_schema.h"
#include "bq_stream.h"
#include "bq_target.h"

namespace patchbay {
namespace {

using Kind = tables::SchemaStep::Kind;
using tables::SchemaStep;
using tables::TableToken;
using tables::WriteMode;

BqConfig parse_config(const Config& config) {
  BqConfig out;
  out.access = parse_access(config);
  out.stream = config.get<std::string>("method") == "stream";
  out.tables = tables::parse_table_options(config, kBqNames);
  if (out.stream && out.tables.write != WriteMode::kAppend)
    config_error("write", "must be append with method: stream");
  return out;
}

void require_rows_taken(const std::string& table, const Json::Value& resource) {
  const Json::Value& type = resource["type"];
  if (type.isString() && type.asString() != "TABLE")
    config_error("tables", table + " is a " + type.asString() + ", which takes no rows");
}

// What stays in BigQuery keeps its types, also those that a stream has not.
Json::Value new_table(const Schema& stream) {
  Json::Value out;
  if (stream.reference.empty()) {
    out["schema"] = bq_schema(stream);
  } else {
    out["schema"]["fields"] = reference_of(stream).fields;
  }
  return out;
}

std::vector<std::string> names_of(const Schema& stream) {
  std::vector<std::string> out;
  for (const auto& field : stream.fields) out.push_back(field.name);
  return out;
}

// A field without a column is left out only where the policy said so.
void require_declined(const std::vector<MissingColumn>& missing, const std::string& table,
                      const Schema& stream, const tables::DeclinedFields& declined) {
  for (const auto& column : missing) {
    if (declined.holds(stream.name, column.path)) continue;
    throw Error(Code::kSchema, column.path + ": table " + table +
                                   " has no such column any more; it was dropped or renamed since "
                                   "the run looked. Run again, or put it back");
  }
}

}  // namespace

Prepared BqEpoch::finish(Call& call, BqClient& client, const std::string& txn, TableToken token,
                         int64_t rows) {
  const Epoch epoch = call.epoch();
  token.rows = rows;
  token.complete = epoch.complete;
  bool several = false, anew = token.recreate;
  for (const auto& earlier : prepared_.of(txn)) {
    several = several || earlier.table != token.table;
    anew = anew || earlier.recreate;
  }
  if (several && anew) {
    config_error("recreate", "table " + token.table +
                                 " and another one commit together, and BigQuery makes no table "
                                 "anew in a transaction; drop the table, or write them apart");
  }
  if (tables::is_last_of_table(options_, kBqNames, token.stream, epoch))
    judge_group(call, client, prepared_.group_with(kBqNames, txn, token));
  prepared_.add(txn, token);
  return {token.text(), rows};
}

BqSink::BqSink(Context&, const Config& config)
    : config_(parse_config(config)), epoch_(config_.tables) {}

std::unique_ptr<BqClient> BqSink::make_client(Call& call) {
  if (!credentials_) credentials_ = bq_credentials(call, config_.access.credentials);
  return std::make_unique<BqClient>(config_.access.place, credentials_, config_.access.http);
}

BqClient& BqSink::client(Call& call) {
  if (!client_) client_ = make_client(call);
  return *client_;
}

void BqSink::check(Call& call) {
  if (client(call).has_dataset(call) || config_.tables.create) return;
  throw Error(Code::kNotFound, "dataset " + config_.access.place.project + "." +
                                   config_.access.place.dataset +
                                   ": is not there, and create is false");
}

std::vector<SchemaStep> BqSink::plan_new(Call& call, const Schema& stream,
                                         const std::string& table) {
  if (stream.reference.empty()) require_new_names(stream.fields);
  new_table(stream);  // throws for types that BigQuery has not
  const bool dataset = client(call).has_dataset(call);
  if (!config_.tables.create) {
    throw Error(Code::kNotFound,
                (dataset ? "table " + table : "dataset " + config_.access.place.dataset) +
                    ": is not there, and create is false");
  }
  std::vector<SchemaStep> steps;
  if (!dataset) steps.push_back({Kind::kCreateDataset, table});
  steps.push_back({Kind::kCreateTable, table});
  return steps;
}

std::vector<SchemaStep> BqSink::plan_existing(const Schema& stream, const Json::Value& target) {
  const tables::TableOptions& options = config_.tables;
  const std::string& table = options.table_of(stream.name);
  require_rows_taken(table, target);
  if (options.has_keys() && requires_filter(target)) {
    config_error("write", tables::name_of(options.write) + " is not for table " + table +
                              ", which requires a filter on its partitions");
  }
  const BqComparison found = compare_columns(stream, target["schema"]["fields"]);
  const auto beyond = tables::columns_beyond(kBqNames, names_of(stream), columns_of_target(target));
  const bool replaces = options.write == WriteMode::kReplace;
  const bool differs = !found.missing.empty() || !found.misfits.empty() || !beyond.empty();
  if (options.recreate && differs) {
    if (stream.reference.empty()) require_new_names(stream.fields);
    staging_anew(new_table(stream)["schema"]["fields"],
                 target);  // throws where partitions are in the way
    return {{Kind::kRecreateTable, table}};
  }
  if (!found.misfits.empty()) {
    throw Error(Code::kSchema,
                found.misfits[0] + (replaces ? ", or set recreate: true, which makes "
                                               "the table anew"
                                             : ""));
  }
  if (replaces && !found.missing.empty()) tables::require_none_beyond(table, beyond);
  std::vector<SchemaStep> steps;
  for (const auto& missing : found.missing)
    steps.push_back({Kind::kAddColumn, table, missing.path, missing.type});
  return steps;
}

Json::Value BqSink::plan_schema(Call& call, const SchemaPtr& stream) {
  tables::require_names(kBqNames, stream->fields, true);
  tables::require_keys(config_.tables, kBqNames, *stream);
  require_key_types(config_.tables, *stream);
  if (!stream->reference.empty()) {
    require_same_server("stream " + stream->name, reference_of(*stream).place,
                        config_.access.place);
  }
  const std::string& table = config_.tables.table_of(stream->name);
  const auto found = client(call).get_table(call, table);
  Json::Value steps =
      to_json(found ? plan_existing(*stream, *found) : plan_new(call, *stream, table));
  const bool beside =
      found && config_.tables.write == tables::WriteMode::kAppend && rows_of_target(*found) > 0;
  return beside ? tables::with_rows(std::move(steps), table) : std::move(steps);
}

void BqSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& json) {
  const auto steps = tables::steps_from_json(json);
  declined_.note(stream->name, steps);
  std::vector<SchemaStep> columns;
  for (const auto& step : steps) {
    if (!step.apply || step.kind == Kind::kRecreateTable) continue;
    if (step.kind == Kind::kAddColumn) {
      require_new_name(*stream, step.field);
      columns.push_back(step);
      continue;
    }
    call.durable_step("bq.schema");
    if (step.kind == Kind::kCreateDataset) {
      client(call).create_dataset(call);
    } else {
      client(call).create_table(call, step.table, new_table(*stream), std::chrono::seconds(0));
    }
  }
  if (!columns.empty()) add_columns(call, config_.tables.table_of(stream->name), columns);
}

// In one request: BigQuery takes few changes of a table in ten seconds.
void BqSink::add_columns(Call& call, const std::string& table,
                         const std::vector<SchemaStep>& columns) {
  call.durable_step("bq.schema");
  const auto found = client(call).get_table(call, table);
  if (!found) throw Error(Code::kNotFound, "table " + table + ": is gone");
  Json::Value schema = (*found)["schema"];
  for (const auto& step : columns) schema = with_column(std::move(schema), step.field, step.type);
  client(call).patch_schema(call, table, schema, (*found)["etag"].asString());
}

// The staging table has all columns of the target; an upsert, and an INSERT, name those of the
// stream.
BqStage BqSink::plan_stage(const Schema& stream, const Json::Value& target,
                           const std::string& txn) {
  const tables::TableOptions& options = config_.tables;
  const Json::Value& fields = target["schema"]["fields"];
  BqStage out{txn, tables::token_of(options, stream.name), {}, declined_.any(stream.name)};
  TableToken& token = out.token;
  const auto beyond = tables::columns_beyond(kBqNames, names_of(stream), columns_of_target(target));
  const BqComparison found = compare_columns(stream, fields);
  token.recreate =
      options.recreate && (!found.missing.empty() || !found.misfits.empty() || !beyond.empty());
  if (token.recreate) {
    out.resource = staging_anew(new_table(stream)["schema"]["fields"], target);
    token.columns = names_of(stream);
  } else {
    require_declined(found.missing, token.table, stream, declined_);
    out.resource = staging_like(target);
    for (const auto& field : as_spelled(stream, fields).fields) {
      if (find_column(fields, field.name)) token.columns.push_back(field.name);
    }
    for (const auto& column : columns_of_target(target))
      token.more["has_defaults"] =
          token.more["has_defaults"].asBool() ||
          (column.fills_itself && std::find(token.columns.begin(), token.columns.end(),
                                            column.name) == token.columns.end());
  }
  if (options.has_keys()) {
    for (const auto& key : options.keys) {
      if (const Json::Value* column = find_column(fields, key))
        token.keys.push_back((*column)["name"].asString());
    }
    token.more["set"] = Json::arrayValue;
    for (const auto& path : paths_to_set(stream, fields)) {
      Json::Value& names = token.more["set"].append(Json::arrayValue);
      for (const auto& name : path) names.append(name);
    }
    out.resource = staging_for_merge(target, token.keys);
  }
  token.more["fields"] = Json::Int64(count_fields(out.resource["schema"]["fields"]));
  return out;
}

std::unique_ptr<Writer> BqSink::open(Call& call, const SchemaPtr& stream, const std::string& txn) {
  const std::string& table = config_.tables.table_of(stream->name);
  const auto found = client(call).get_table(call, table);
  if (!found)
    throw Error(Code::kSchema, "table " + table + ": is gone since the run looked; run again");
  if (config_.tables.owns_table()) {
    const BqPlace& place = config_.access.place;
    call.claim(place.endpoint + "/" + place.project + "." + place.dataset + "." + table);
  }
  if (txn != txn_) writers_ = 0;
  txn_ = txn;
  const std::string staging = bq_staging_name(txn, ++writers_);
  const Json::Value& fields = (*found)["schema"]["fields"];
  if (config_.stream) {
    require_declined(missing_columns(*stream, fields), table, *stream, declined_);
    return std::make_unique<BqStreamWriter>(
        make_client(call), stream, fields, table, staging,
        config_.tables.keys.empty() ? stream->keys : config_.tables.keys,
        declined_.any(stream->name));
  }
  BqStage stage = plan_stage(*stream, *found, txn);
  stage.token.stage = staging;
  if (!stream->reference.empty())
    return std::make_unique<BqQueryWriter>(epoch_, make_client(call), stream, std::move(stage));
  return std::make_unique<BqLoadWriter>(epoch_, make_client(call), stream, std::move(stage));
}

void BqSink::commit(Call& call, const std::string& txn, uint64_t,
                    std::span<const std::string> texts) {
  if (config_.stream) return;
  BqCommit(client(call), txn).run(call, tables::parse_groups(kBqNames, texts));
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
    // A commit that comes later finds nothing to move; one that is at work is waited for.
    BqCommit(client(call), txn).is_committed(call);
  }
}

Outcome BqSink::outcome(Call& call, const std::string& txn, std::span<const std::string> texts) {
  if (config_.stream) return Outcome::kUnknown;
  if (BqCommit(client(call), txn).is_committed(call)) return Outcome::kCommitted;
  for (const auto& text : texts) {
    if (!client(call).get_table(call, TableToken::parse(text).stage)) return Outcome::kGone;
  }
  return texts.empty() ? Outcome::kGone : Outcome::kPrepared;
}

}  // namespace patchbay
