#include "pg_writer.h"

#include "copy_writer.h"
#include "pg_replace.h"
#include "stage_writer.h"

namespace patchbay {
namespace {

using postgres::Connection;

// COPY into a table beside the real one, which takes its place.
class SwapWriter final : public CopyWriter {
 public:
  SwapWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream, TableTarget target,
             BesideTable beside)
      : CopyWriter(std::move(session), std::move(stream), beside.relation.sql(),
                   std::move(target.pairs)),
        beside_(std::move(beside)) {}

  Prepared prepare(Call& call) override {
    take_place(call, settled(call), beside_);
    return prepared(call, rows_);
  }

 private:
  const BesideTable beside_;
};

}  // namespace

std::unique_ptr<Writer> make_writer(Call& call, std::shared_ptr<EpochSession> session,
                                    SchemaPtr stream, TableTarget target) {
  Connection& connection = session->at_rest(call);
  const std::string number = std::to_string(++session->writers);
  if (target.write == "replace" && may_swap(call, connection, target.relation)) {
    BesideTable beside = make_beside(call, connection, target.relation, session->txn, number);
    return std::make_unique<SwapWriter>(std::move(session), std::move(stream), std::move(target),
                                        std::move(beside));
  }
  if (target.write == "append") {
    const std::string table = target.relation.sql();
    return std::make_unique<CopyWriter>(std::move(session), std::move(stream), table,
                                        std::move(target.pairs));
  }
  return make_stage_writer(call, std::move(session), std::move(stream), std::move(target), number);
}

}  // namespace patchbay
