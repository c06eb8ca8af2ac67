#include "engine/identities.h"

#include <algorithm>

#include "patchbay/error.h"
#include "pipeline/guarantee.h"
#include "pipeline/identity.h"
#include "report/json_text.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

std::string ways_on(const std::string& pipeline, const std::string& stream) {
  return "To go on: `patchbay state accept " + pipeline + " --stream " + stream +
         "` where it is the same thing all the same; `patchbay run " + pipeline +
         " --full-refresh` to read everything again; `patchbay state set " + pipeline +
         " --stream " + stream +
         " VALUE` to say where to start; or give the pipeline another name with name:, under which "
         "it keeps a state of its own";
}

}  // namespace

Json::Value Identities::identity(const StreamRef& of, const SplitPlan& split) const {
  const auto is_source = [&](const Node& one) {
    return one.kind == Kind::kSource && one.id == of.node;
  };
  const auto node =
      static_cast<size_t>(std::find_if(pipeline_.nodes.begin(), pipeline_.nodes.end(), is_source) -
                          pipeline_.nodes.begin());
  Json::Value out;
  out["environment"] = environment_;
  out["source"] = node_identity(pipeline_.nodes[node], split.stream);
  if (!split.identity.isNull()) out["source"]["system"] = split.identity;
  out["targets"] = Json::objectValue;
  for (const auto& [sink, names] : names_at_sinks(pipeline_, node, split.stream)) {
    // Of several names the first stands for all; without any a transform decides.
    out["targets"][pipeline_.nodes[sink].id] =
        node_identity(pipeline_.nodes[sink], names.empty() ? "" : *names.begin());
  }
  return out;
}

void Identities::learn(const std::map<StreamRef, SplitPlan>& streams, bool compare_them,
                       const std::function<void(const std::string& stream)>& accepted) {
  for (const auto& [of, split] : streams) now_[of] = identity(of, split);
  const auto kept = state_.streams();
  for (const auto& one : kept) {
    if (one.identity_json.empty()) {
      if (now_.contains(one.of)) {
        accepted(one.of.stream);
        if (compare_them) state_.adopt({one.of, of(one.of)});
      }
      continue;
    }
    kept_[one.of] = parse_json_text(one.identity_json);
    if (compare_them && now_.contains(one.of)) compare(one);
  }
  if (!compare_them) return;
  refuse_orphans(kept);
  refuse_renamed_streams(kept);
  if (kept.empty()) refuse_renamed();
}

void Identities::compare(const StreamState& kept) const {
  if (PLANTED(state_by_name)) return;
  const Json::Value& was = kept_.at(kept.of);
  const Json::Value& is = now_.at(kept.of);
  std::vector<IdentityDifference> found;
  const auto add = [&](const std::string& node, const Json::Value& a, const Json::Value& b) {
    for (auto& one : compare_identities(node, a, b)) {
      // A source may say of itself what its options say.
      const bool known = std::any_of(found.begin(), found.end(), [&](const auto& other) {
        return other.what == one.what && other.was == one.was && other.is == one.is;
      });
      if (!known) found.push_back(std::move(one));
    }
  };
  if (was["environment"] != is["environment"]) {
    found.push_back(
        {"the environment", was["environment"].asString(), is["environment"].asString()});
  }
  add(kept.of.node, was["source"], is["source"]);
  for (const auto& sink : is["targets"].getMemberNames()) {
    if (was["targets"].isMember(sink)) {
      add(sink, was["targets"][sink], is["targets"][sink]);
    } else {
      found.push_back({"the sink " + sink, "not there", "there, and got none of the earlier rows"});
    }
  }
  if (found.empty()) return;
  std::string text = "stream " + kept.of.stream + ": the state is of something else: ";
  for (size_t i = 0; i < found.size(); ++i) {
    text +=
        (i == 0 ? "" : "; ") + found[i].what + " was " + found[i].was + ", and is " + found[i].is;
  }
  throw Error(Code::kConfig, text + ". " + ways_on(pipeline_.name, kept.of.stream));
}

// A source that was renamed would begin anew, and deliver everything twice.
void Identities::refuse_orphans(const std::vector<StreamState>& kept) const {
  const auto has_node = [&](const std::string& id) {
    return std::any_of(pipeline_.nodes.begin(), pipeline_.nodes.end(), [&](const Node& node) {
      return node.kind == Kind::kSource && node.id == id;
    });
  };
  for (const auto& orphan : kept) {
    if (has_node(orphan.of.node)) continue;
    for (const auto& [of, identity] : now_) {
      const bool knows = std::any_of(kept.begin(), kept.end(),
                                     [&](const auto& one) { return one.of.node == of.node; });
      if (knows || of.stream != orphan.of.stream) continue;
      throw Error(Code::kConfig,
                  "node " + of.node + ": has no state, but there is one of stream " + of.stream +
                      " from a node " + orphan.of.node +
                      ", which the pipeline no longer has. To go on: `patchbay state move " +
                      pipeline_.name + "/" + orphan.of.node + " " + pipeline_.name + "/" + of.node +
                      "` where it was renamed; `patchbay state reset " + pipeline_.name +
                      " --stream " + of.stream +
                      "` to forget it, and read everything; or `patchbay run " + pipeline_.name +
                      " --full-refresh`, which does both");
    }
  }
}

// Objects that were read under another name of their stream count as read, and the new stream
// would never get them.
void Identities::refuse_renamed_streams(const std::vector<StreamState>& kept) const {
  const auto is_kept = [&](const StreamRef& of) {
    return std::any_of(kept.begin(), kept.end(), [&](const auto& one) { return one.of == of; });
  };
  for (const auto& orphan : kept) {
    const auto was = kept_.find(orphan.of);
    if (now_.contains(orphan.of) || was == kept_.end() || orphan.done == 0) continue;
    for (const auto& [of, is] : now_) {
      if (of.node != orphan.of.node || is_kept(of) ||
          !compare_identities("", was->second["source"], is["source"]).empty())
        continue;
      throw Error(Code::kConfig,
                  "stream " + of.stream + ": has no state, but node " + of.node +
                      " has read the same objects as stream " + orphan.of.stream +
                      ". To go on: name the stream " + orphan.of.stream +
                      " again, and the table with tables: at the sink; `patchbay state reset " +
                      pipeline_.name + " --stream " + orphan.of.stream +
                      "` to forget it, and read everything; or `patchbay run " + pipeline_.name +
                      " --full-refresh`, which does both");
    }
  }
}

// A pipeline that was renamed would begin anew, and append everything once more.
void Identities::refuse_renamed() const {
  const auto appends_what_is_new = [&](const StreamRef& of, const std::string& sink) {
    return std::all_of(pipeline_.nodes.begin(), pipeline_.nodes.end(), [&](const Node& node) {
      if (node.id == sink) return would_double(node);
      const ComponentManifest& component = *node.component;
      return node.id != of.node || component.incremental.isNull() ||
             incremental_by(component, node.config);
    });
  };
  const auto same = [&](const Json::Value& was, const StreamRef& of, const Json::Value& is) {
    if (was["environment"] != is["environment"] ||
        !compare_identities("", was["source"], is["source"]).empty())
      return false;
    for (const auto& sink : is["targets"].getMemberNames()) {
      if (!appends_what_is_new(of, sink)) continue;
      for (const auto& target : was["targets"]) {
        if (compare_identities("", target, is["targets"][sink]).empty()) return true;
      }
    }
    return false;
  };
  std::string other, stream;
  state_.each_neighbour([&](const std::string& pipeline, const StreamState& kept) {
    if (kept.identity_json.empty()) return true;
    const Json::Value was = parse_json_text(kept.identity_json);
    for (const auto& [of, is] : now_) {
      if (of.stream == kept.of.stream && !state_.given_state(of.stream) && same(was, of, is)) {
        other = pipeline;
        stream = of.stream;
      }
    }
    return other.empty();
  });
  if (other.empty()) return;
  throw Error(Code::kConfig,
              "stream " + stream + ": " + pipeline_.name + " has no state, but the pipeline " +
                  other +
                  " has one of the same source and the same target, whose rows would be appended "
                  "once more. To go on: `patchbay state move " +
                  other + " " + pipeline_.name + "` where it was renamed; `patchbay state set " +
                  pipeline_.name + " --stream " + stream +
                  " VALUE` to say where to start; or `patchbay run " + pipeline_.name +
                  " --full-refresh` to append everything");
}

std::string Identities::of(const StreamRef& stream) const {
  const auto found = now_.find(stream);
  return found == now_.end() ? "" : compact_json(found->second);
}

bool Identities::was_delivered(const std::string& stream, const std::string& sink) const {
  return std::any_of(kept_.begin(), kept_.end(), [&](const auto& one) {
    return one.first.stream == stream && one.second["targets"].isMember(sink);
  });
}

void Identities::require_same_targets(const EpochRecord& record) const {
  if (PLANTED(target_is_not_asked)) return;
  for (const auto& sink : record.sinks) {
    const auto found = std::find_if(
        pipeline_.nodes.begin(), pipeline_.nodes.end(),
        [&](const Node& node) { return node.kind == Kind::kSink && node.id == sink.node; });
    const std::string ways =
        "bring it back for one run, or give the rows up: `patchbay state "
        "discard " +
        pipeline_.name + "` has the next run read them again";
    if (found == pipeline_.nodes.end()) {
      throw Error(Code::kConfig, "node " + sink.node +
                                     ": an earlier run left rows prepared for this sink, which the "
                                     "pipeline no longer has; bring it back under its name for "
                                     "one run, or `patchbay state discard " +
                                     pipeline_.name + " --without " + sink.node +
                                     "` goes on for the other sinks, and it never gets them");
    }
    if (sink.target.empty()) continue;
    const Json::Value was = parse_json_text(sink.target);
    for (const auto& stream : was.getMemberNames()) {
      const auto differences =
          compare_identities(sink.node, was[stream], node_identity(*found, stream));
      if (differences.empty()) continue;
      throw Error(Code::kConfig, "node " + sink.node + ": an earlier run left rows prepared for " +
                                     differences[0].what + " " + differences[0].was +
                                     ", which is now " + differences[0].is + "; " + ways);
    }
  }
}

}  // namespace patchbay::host
