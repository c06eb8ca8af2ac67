// JSON values into the columns of one batch: simdjson on demand. Inner part of json_records.
#pragma once

#include <simdjson.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/builder.h"

namespace patchbay::json_nodes {

namespace od = simdjson::ondemand;

// Why a record can't become a row.
struct Misfit {
  std::string code, reason;
};

[[noreturn]] void broken(simdjson::error_code error);  // as an exception of simdjson's
const char* found_name(od::value& value);              // utf8, int64, list, ..
Type type_of_value(od::value& value);                  // of a new field
std::string_view raw_json(od::value& value);           // its text, as it stands

// Of a member that the schema lacks; `path` as in recipient.suffix or interactors[].badge.
using OnUnknown = std::function<void(const std::string& path, od::value& value)>;

// One column's reader. The path is put together only where it is needed.
class Node {
 public:
  explicit Node(const Node* parent, std::string name) : parent_(parent), name_(std::move(name)) {}
  virtual ~Node() = default;
  virtual void append(od::value& value) = 0;
  virtual void append_null() = 0;
  std::string path() const;

 private:
  const Node* parent_;
  std::string name_;
};

// The members of an object into as many columns. Members usually come in the same order, so the
// next one is tried first.
class Members {
 public:
  Members(const Node* parent, const std::vector<Field>& fields,
          const std::function<ColumnBuilder&(size_t)>& column, const OnUnknown& on_unknown);

  void append(od::object& object);

 private:
  std::optional<size_t> find(std::string_view key) const;
  void unknown(std::string_view key, od::value& value) const;

  const Node* parent_;
  const OnUnknown& on_unknown_;
  std::vector<std::string> names_;
  std::vector<bool> stands_as_is_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<uint8_t> seen_;
};

}  // namespace patchbay::json_nodes
