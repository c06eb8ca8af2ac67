// Values that a table can't take, found before they are sent: for one of them a load job refuses
// every row.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <vector>

#include "patchbay/batch.h"

namespace patchbay {

class BqMisfits {
 public:
  BqMisfits(const std::vector<Field>& stream, const Json::Value& table_fields);

  // Of each row why it can't be stored, with the path of the value; empty where it can.
  std::vector<std::string> find(const Batch& batch) const;

 private:
  // A column, a struct's member or a list's item.
  struct Column {
    std::string path;
    Type type;
    bool required = false;
    std::optional<Type> parsed;  // text that has to be a value of this type
    std::vector<Column> inner;   // those of its members, or its item, that need a look
    size_t index = 0;            // among its siblings
  };
  using Rows = std::vector<int64_t>;  // the row that each value belongs to; -1 = none

  static Column make_column(const std::string& path, const Field& field, const Json::Value& column);
  static std::vector<Column> make_columns(const std::string& path, const std::vector<Field>& stream,
                                          const Json::Value& table_fields);
  static void look(const Column& column, const ArrowArray& array, int64_t offset, const Rows& rows,
                   std::vector<std::string>& reasons);
  static void look_into(const Column& column, const ArrowArray& array, int64_t offset,
                        const Rows& rows, std::vector<std::string>& reasons);

  const std::vector<Column> columns_;
};

}  // namespace patchbay
