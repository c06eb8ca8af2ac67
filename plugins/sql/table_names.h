// The names that queries know the streams by.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace patchbay {

struct TableOrigin {
  std::string node, stream;
};

// Names without a dot, each with the place of its table: NODE where it is the only stream of its
// node, STREAM where no other node has one of that name. A node's name comes before a stream's.
std::vector<std::pair<std::string, size_t>> short_names(const std::vector<TableOrigin>& tables);

// "; what comes in is a, b, did you mean a?"
std::string known_tables(const std::vector<TableOrigin>& tables, const std::string& wanted);

}  // namespace patchbay
