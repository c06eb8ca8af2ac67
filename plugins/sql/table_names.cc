#include "table_names.h"

#include <algorithm>
#include <map>

#include "patchbay/suggest.h"

namespace patchbay {

std::vector<std::pair<std::string, size_t>> short_names(const std::vector<TableOrigin>& tables) {
  std::map<std::string, int> of_node, of_stream;
  for (const auto& [node, stream] : tables) {
    ++of_node[node];
    ++of_stream[stream];
  }
  std::vector<std::pair<std::string, size_t>> names;
  for (size_t i = 0; i < tables.size(); ++i) {
    const auto& [node, stream] = tables[i];
    if (!node.empty() && of_node[node] == 1) names.emplace_back(node, i);
    const bool free = !of_node.contains(stream) || (of_node[stream] > 1 && stream != node);
    if (free && of_stream[stream] == 1) names.emplace_back(stream, i);
  }
  return names;
}

std::string known_tables(const std::vector<TableOrigin>& tables, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& table : tables) {
    for (const auto& name : {table.node, table.stream}) {
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    }
  }
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "; what comes in is " : ", ") + name;
  const std::string hint = did_you_mean(wanted, names);
  return text + (hint.empty() ? "; a stream without rows in this run is not a table" : hint);
}

}  // namespace patchbay
