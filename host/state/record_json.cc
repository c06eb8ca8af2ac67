#include "state/record_json.h"

#include "report/json_text.h"

namespace patchbay::host {
namespace {

Json::Value to_json(const PreparedSink& sink) {
  Json::Value out;
  out["node"] = sink.node;
  out["txn"] = sink.txn;
  out["tokens"] = Json::arrayValue;
  for (const auto& token : sink.tokens) out["tokens"].append(to_hex(token));
  if (!sink.target.empty()) out["target"] = sink.target;
  if (!sink.place.empty()) out["place"] = sink.place;
  return out;
}

PreparedSink parse_sink(const Json::Value& json) {
  PreparedSink sink{json["node"].asString(),
                    json["txn"].asString(),
                    {},
                    json["target"].asString(),
                    json["place"].asString()};
  for (const auto& token : json["tokens"]) sink.tokens.push_back(from_hex(token.asString()));
  return sink;
}

Json::Value to_json(const StreamRef& of) {
  Json::Value out;
  out["node"] = of.node;
  out["stream"] = of.stream;
  return out;
}

StreamRef parse_stream(const Json::Value& json) {
  return {json["node"].asString(), json["stream"].asString()};
}

Json::Value to_json(const SplitState& state) {
  Json::Value out = to_json(state.of);
  out["split"] = state.split;
  out["state"] = state.state_json;
  out["done"] = state.done;
  if (state.ended) out["ended"] = true;
  return out;
}

}  // namespace

std::string txns_json(const std::vector<TransactionRef>& txns) {
  Json::Value out(Json::arrayValue);
  for (const auto& txn : txns) out.append(to_json(PreparedSink{txn.node, txn.txn, {}, {}, {}}));
  return compact_json(out);
}

std::vector<PreparedSink> parse_txns(const std::string& json) {
  std::vector<PreparedSink> out;
  for (const auto& one : parse_json_text(json)) out.push_back(parse_sink(one));
  return out;
}

std::string record_json(const EpochRecord& record) {
  Json::Value out;
  out["sinks"] = Json::arrayValue;
  for (const auto& sink : record.sinks) out["sinks"].append(to_json(sink));
  out["states"] = Json::arrayValue;
  for (const auto& state : record.states) out["states"].append(to_json(state));
  out["fields"] = Json::arrayValue;
  for (const auto& field : record.fields) {
    Json::Value one;
    one["stream"] = field.stream;
    one["path"] = field.path;
    one["type"] = field.type;
    out["fields"].append(one);
  }
  for (const auto& one : record.identities) {
    Json::Value identity = to_json(one.of);
    identity["identity"] = one.identity_json;
    out["identities"].append(identity);
  }
  for (const auto& of : record.refreshed) out["refreshed"].append(to_json(of));
  out["counts"] = record.counts;
  return compact_json(out);
}

EpochRecord parse_record(const std::string& json) {
  const Json::Value in = parse_json_text(json);
  EpochRecord record;
  for (const auto& sink : in["sinks"]) record.sinks.push_back(parse_sink(sink));
  for (const auto& state : in["states"]) {
    record.states.push_back({parse_stream(state), state["split"].asString(),
                             state["state"].asString(), state["done"].asBool(),
                             state["ended"].asBool()});
  }
  for (const auto& field : in["fields"]) {
    record.fields.push_back(
        {field["stream"].asString(), field["path"].asString(), field["type"].asString()});
  }
  for (const auto& one : in["identities"])
    record.identities.push_back({parse_stream(one), one["identity"].asString()});
  for (const auto& of : in["refreshed"]) record.refreshed.push_back(parse_stream(of));
  record.counts = in["counts"];
  return record;
}

}  // namespace patchbay::host
