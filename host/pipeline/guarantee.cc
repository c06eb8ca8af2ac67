#include "pipeline/guarantee.h"

namespace patchbay::host {

std::string_view guarantee_name(Guarantee guarantee) {
  return guarantee == Guarantee::kExactlyOnce ? "exactly_once" : "at_least_once";
}

namespace {

std::string delivery_option(const ComponentManifest& sink) {
  return sink.delivery.isObject() ? sink.delivery["option"].asString() : "";
}

}  // namespace

GuaranteeResult compute_guarantee(const Pipeline& pipeline) {
  GuaranteeResult result;
  const auto limit = [&](std::string why) {
    result.guarantee = Guarantee::kAtLeastOnce;
    result.limited_by.push_back(std::move(why));
  };
  for (const auto& node : pipeline.nodes) {
    if (node.kind == Kind::kSource && !node.component->replayable) {
      limit(node.id + ": its rows cannot be read again from a state");
    }
    if (node.kind == Kind::kSink &&
        delivery_of(*node.component, node.config) == Delivery::kAtLeastOnce) {
      const std::string option = delivery_option(*node.component);
      limit(node.id + ": writes at least once" +
            (option.empty() ? "" : " with " + option + ": " + node.config[option].asString()));
    }
  }
  return result;
}

bool replaces(const Node& node) {
  return node.kind == Kind::kSink && node.config["write"].isString() &&
         node.config["write"].asString() == "replace";
}

bool would_double(const Node& sink) {
  const Json::Value& objects = sink.plugin->uris["objects"];
  const bool files = objects.isBool() && objects.asBool();
  return !files && !replaces(sink) && sink.config["write"] != "upsert";
}

}  // namespace patchbay::host
