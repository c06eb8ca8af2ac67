// How rows of one stream and epoch get into their table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "copy_encode.h"
#include "patchbay/plugin.h"
#include "pg_epoch.h"
#include "pg_session.h"

namespace patchbay {

struct TableTarget {
  Relation relation;
  std::string write;  // append, replace, upsert
  std::vector<std::string> keys;
  std::vector<CopyEncoder::Pair> pairs;
};

// Loads within the session's transaction.
std::unique_ptr<Writer> make_writer(Call& call, std::shared_ptr<EpochSession> session,
                                    SchemaPtr stream, TableTarget target);

}  // namespace patchbay
