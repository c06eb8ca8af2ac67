#include <algorithm>

#include "patchbay/object.h"
#include "patchbay/objects/objects.h"

namespace patchbay {

ObjectSelection::ObjectSelection(const Config& config, const std::string& default_stream_name)
    : path_(config.get<std::string>("path")),
      select_(config.get<std::string>("select")),
      order_(config.get<std::string>("order")),
      stream_(config.get_or<std::string>("stream", default_stream(path_, default_stream_name))),
      schema_(std::make_shared<const Schema>(object_schema(stream_))) {}

bool ObjectSelection::is_wanted(const std::vector<std::string>& streams) const {
  return streams.empty() || std::find(streams.begin(), streams.end(), stream_) != streams.end();
}

void ObjectSelection::warn_of_nothing(const std::vector<FoundObject>& found,
                                      Context& context) const {
  if (found.empty() && select_ == "all")
    context.log(BAY_LOG_WARN, "path: " + path_ + ": there is nothing that it names");
}

std::vector<Split> ObjectSelection::splits(std::vector<FoundObject> found) const {
  const bool by_time = order_ == "modified";
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    if (by_time && a.modified != b.modified) return a.modified < b.modified;
    return a.key < b.key;
  });
  if (select_ == "newest" && found.size() > 1) found.erase(found.begin(), found.end() - 1);
  const bool once = select_ != "all";
  std::vector<Split> splits;
  for (auto& object : found) {
    std::string id = once ? object.key + "#" + object.version : object.key;
    splits.push_back({std::move(id), stream_, once, std::move(object.detail), once});
  }
  return splits;
}

}  // namespace patchbay
