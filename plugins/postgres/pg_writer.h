// How rows of one stream and epoch get into their table.
#pragma once

#include <memory>

#include "copy_writer.h"
#include "patchbay/plugin.h"
#include "pg_epoch.h"

namespace patchbay {

// Loads within the session's transaction.
std::unique_ptr<Writer> make_writer(Call& call, std::shared_ptr<EpochSession> session,
                                    std::shared_ptr<EpochTable> table, WriterPlan plan);

}  // namespace patchbay
