// Tables of one BigQuery dataset, or a query, as streams.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bq_access.h"
#include "patchbay/plugin.h"

namespace patchbay {

class BqSource final : public Source {
 public:
  BqSource(Context& context, const Config& config);
  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  std::unique_ptr<BqClient> make_client(Call& call);
  Schema schema_of(Call& call, BqClient& client, const std::string& stream,
                   const std::string& table) const;

  const BqAccess access_;
  const bool by_reference_;
  const std::optional<std::string> query_;
  std::map<std::string, std::string> tables_;
  std::shared_ptr<GoogleCredentials> credentials_;
};

}  // namespace patchbay
