// COPY into a temporary table, whose rows then go into the real one: upsert and mirror, replace
// where the table itself must stay, and append where COPY can't fill the table or rows are judged
// together.
#pragma once

#include <memory>
#include <vector>

#include "copy_writer.h"
#include "pg_table.h"

namespace patchbay {

// On the own path. `deferred`: the table's keys that are judged when all of its rows are there.
std::unique_ptr<Writer> make_stage_writer(Call& call, std::shared_ptr<EpochSession> session,
                                          std::shared_ptr<EpochTable> table, WriterPlan plan,
                                          std::vector<DeferredKey> deferred);

}  // namespace patchbay
