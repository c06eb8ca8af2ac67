// What runs the queries. An engine is one file with a function that makes it, and a line in
// sql_transform.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/inputs.h"
#include "patchbay/plugin.h"
#include "query.h"

namespace patchbay {

struct InputStream {
  std::string node;
  SchemaPtr schema;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void check(Call& call) = 0;
  // The results' schemas over these streams, without their rows; none where only those tell. Throws
  // UnknownTable where one of those that queries read is missing.
  virtual std::vector<Schema> describe(Call& call, const std::vector<InputStream>& streams,
                                       const std::vector<SqlQuery>& queries) = 0;
  // Gives one stream per query. `order` and the inputs outlive the reader.
  virtual std::unique_ptr<Reader> open(Call& call, std::vector<SqlQuery> queries,
                                       const Inputs& order, std::vector<Input> inputs) = 0;
};

std::unique_ptr<Engine> make_duckdb_engine(const Config& config);
std::unique_ptr<Engine> make_bigquery_engine(const Config& config);

// The name of a query's stream, where the configuration leaves it open.
std::string stream_name(const SqlQuery& query, const std::vector<std::string>& streams);

// A query over the table `name`, which isn't there.
class UnknownTable : public Error {
 public:
  UnknownTable(const std::string& message, std::string name)
      : Error(Code::kConfig, message), name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

// Takes all that comes in, from whichever input has something, to the ends.
template <class Visit>
void read_inputs(Call& call, const Inputs& order, std::vector<Input>& inputs, Visit&& visit) {
  std::vector<uint32_t> open(inputs.size());
  for (uint32_t i = 0; i < open.size(); ++i) open[i] = i;
  while (!open.empty()) {
    const size_t place = order.wait_ready(call, open);
    Event event = inputs[open[place]].next(call);
    if (std::holds_alternative<End>(event)) {
      open.erase(open.begin() + static_cast<ptrdiff_t>(place));
    } else {
      visit(open[place], std::move(event));
    }
  }
}

}  // namespace patchbay
