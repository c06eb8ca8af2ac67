#include "engine/split_plan.h"

#include <fstream>
#include <set>
#include <sstream>

#include "patchbay/error.h"
#include "patchbay/suggest.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw Error(Code::kConfig, "--split " + where + ": " + why);
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    refuse(file.string(),
           "cannot be read; `patchbay plan PIPELINE --output json` writes such a file");
  }
  return text.str();
}

Json::Value parse_file(const std::filesystem::path& file) {
  try {
    return parse_json_text(read_text(file));
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.starts_with("--split")) throw;
    refuse(file.string(), message);
  }
}

// The list, however it is wrapped.
Json::Value list_of(const Json::Value& json) {
  if (json.isArray()) return json;
  if (json.isObject() && json["splits"].isArray()) return json["splits"];
  Json::Value one(Json::arrayValue);
  one.append(json);
  return one;
}

size_t source_index(const Pipeline& pipeline, const std::string& id, const std::string& where) {
  std::vector<std::string> sources;
  for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
    if (pipeline.nodes[i].kind != Kind::kSource) continue;
    if (pipeline.nodes[i].id == id) return i;
    sources.push_back(pipeline.nodes[i].id);
  }
  refuse(where, "node " + id + " is no source of " + pipeline.name + did_you_mean(id, sources));
}

}  // namespace

SplitPlan parse_split(const std::string& json) {
  const Json::Value split = parse_json_text(json);
  if (!split.isObject() || !split["stream"].isString())
    throw Error(Code::kData, "a split without a stream");
  if (!split["id"].isString() && !split["id"].isNull())
    throw Error(Code::kData, "a split whose id is no text");
  SplitPlan plan;
  plan.id = split["id"].asString();
  plan.stream = split["stream"].asString();
  plan.once = split["once"].isBool() && split["once"].asBool();
  plan.json = json;
  plan.resumes = !split["resumes"].isBool() || split["resumes"].asBool();
  if (split["of"].isString()) plan.of = split["of"].asString();
  plan.complete = split["complete"].isBool() && split["complete"].asBool();
  plan.identity = split["identity"];
  return plan;
}

std::string split_key(const Node& source, const SplitPlan& split) {
  return source.id + "/" + split.id;
}

std::vector<GivenSplit> read_splits(const std::filesystem::path& file, const Pipeline& pipeline) {
  std::vector<GivenSplit> splits;
  std::set<std::pair<size_t, std::string>> seen;
  for (const auto& member : list_of(parse_file(file))) {
    const std::string where = file.string() + ": member " + std::to_string(splits.size() + 1);
    if (!member.isObject() || !member["node"].isString() || !member["split"].isObject())
      refuse(where, "is no split; a split has node, stream and split, as `plan` writes it");
    const size_t node = source_index(pipeline, member["node"].asString(), where);
    try {
      splits.push_back({node, parse_split(compact_json(member["split"]))});
      if (splits.back().plan.id.empty()) refuse(where, "has no id");
    } catch (const Error& error) {
      refuse(where, error.what());
    }
    if (!seen.emplace(node, splits.back().plan.id).second)
      refuse(where, "split " + splits.back().plan.id + " is there twice");
  }
  return splits;
}

}  // namespace patchbay::host
