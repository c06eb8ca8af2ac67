// An epoch's record as JSON, as it stands in the state file.
#pragma once

#include <string>
#include <vector>

#include "state/state_store.h"

namespace patchbay::host {

std::string txns_json(const std::vector<TransactionRef>& txns);
std::vector<PreparedSink> parse_txns(const std::string& json);  // without tokens

std::string record_json(const EpochRecord& record);
// Run, lane and number are columns of their own, and stay empty.
EpochRecord parse_record(const std::string& json);

}  // namespace patchbay::host
