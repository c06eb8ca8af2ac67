// Tables and queries of a SQLite database as streams.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "patchbay/plugin.h"
#include "patchbay/sqlite.h"

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
  std::map<std::string, std::string> streams(Database& database) const;  // to what to select from

  const std::string path_;
  const std::optional<std::string> query_, cursor_;
  std::map<std::string, std::string> tables_;
};

}  // namespace patchbay
