#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/postgres.h"

namespace patchbay {

// A stream per table, or one for a query, by binary COPY. All splits of a run read one snapshot.
class PostgresSource final : public Source {
 public:
  PostgresSource(Context& context, const Config& config);

  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  struct From {
    std::string sql;       // what follows FROM: a quoted relation, or a query in parentheses
    std::string relation;  // the same without ONLY; empty for a query
    bool may_lock = false;
  };
  using Streams = std::map<std::string, From>;

  Streams streams(Call& call, postgres::Connection& connection) const;
  void add_matches(Call& call, postgres::Connection& connection, const std::string& pattern,
                   Streams& out) const;
  std::vector<std::string> ranges_of(Call& call, postgres::Connection& connection,
                                     const From& from) const;
  Split split_of(const std::string& stream, const From& from, const std::string& range,
                 size_t number, size_t of) const;

  Context& context_;
  const postgres::Place place_;
  const std::string schema_;
  const std::optional<std::string> query_, cursor_;
  const int64_t partitions_;
  const bool numeric_text_, waits_, filtered_;
  std::map<std::string, std::string> tables_;
  std::unique_ptr<postgres::Connection> snapshot_;  // whose transaction the readers share
};

}  // namespace patchbay
