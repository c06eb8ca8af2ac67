// Tables and queries of a SQLite database as streams.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "patchbay/plugin.h"
#include "sqlite_reader.h"

namespace patchbay {

class SqliteSource final : public Source {
 public:
  SqliteSource(Context& context, const Config& config);
  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  Database connect() const;
  std::vector<SqliteExtract> extracts(Database& database) const;
  Json::Value identity_of(Database& database, const SqliteExtract& extract) const;

  Context& context_;
  const std::string path_;
  const std::optional<std::string> query_, cursor_;
  const bool waits_;
  std::map<std::string, std::string> tables_;
};

}  // namespace patchbay
