// COPY into a temporary table, whose rows then go into the real one: upsert, and replace where the
// table itself must stay.
#pragma once

#include <memory>
#include <string>

#include "pg_writer.h"

namespace patchbay {

std::unique_ptr<Writer> make_stage_writer(Call& call, std::shared_ptr<EpochSession> session,
                                          SchemaPtr stream, TableTarget target,
                                          const std::string& number);

}  // namespace patchbay
