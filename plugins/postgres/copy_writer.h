// COPY into one table, batch after batch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "copy_encode.h"
#include "patchbay/plugin.h"
#include "pg_epoch.h"

namespace patchbay {

// Each batch is a COPY of its own under a savepoint: where the server refuses it, the bad rows are
// found and rejected, and the rest goes in. Where the writer is alone in its epoch, the server
// works on one batch while the next is read.
class CopyWriter : public Writer, private CopyUnderWay {
 public:
  CopyWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream, const std::string& table,
             std::vector<CopyEncoder::Pair> pairs);
  ~CopyWriter() override;

  // Fields that may not be null, for they are keys.
  void require(std::vector<size_t> fields) { required_ = std::move(fields); }

  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 protected:
  // After everything written is in the table.
  postgres::Connection& settled(Call& call);
  Prepared prepared(Call& call, int64_t rows);

  int64_t rows_ = 0;  // that the table took
  const SchemaPtr stream_;

 private:
  void collect(Call& call) override;
  void settle(Call& call);
  void begin_copy(Call& call);
  void send_new_rows(Call& call);
  std::optional<size_t> copy_again(Call& call, size_t from, size_t to);
  std::optional<size_t> result(Call& call);
  bool lacks_key(Call& call, int64_t row);
  void refuse(Call& call, int64_t row, const char* code, const std::string& reason);

  const std::shared_ptr<EpochSession> session_;
  const std::string copy_;
  const CopyEncoder encoder_;
  std::vector<size_t> required_;
  WireBuffer buffer_;
  // The batch that was sent last, until it is settled.
  Batch batch_;
  std::vector<int64_t> sent_;     // its rows, without those refused before
  bool copying_ = false;          // its result is still to come
  std::optional<size_t> failed_;  // its result: where the bad row is
  std::string reason_;            // and what the server said
};

// Runs `work`, which sets the savepoint `patchbay`, so that its failure undoes no more than itself.
// Nothing where it succeeded; where a row is at fault, its number within a COPY (0 = not said).
template <class Work>
std::optional<size_t> under_savepoint(Call& call, postgres::Connection& connection,
                                      std::string& reason, Work&& work) {
  try {
    work();
  } catch (const postgres::ServerError& error) {
    if (!error.is_about_a_row()) throw;
    connection.run(call, "ROLLBACK TO SAVEPOINT patchbay; RELEASE SAVEPOINT patchbay");
    reason = error.reason();
    return static_cast<size_t>(error.fields().copy_line);
  }
  connection.run(call, "RELEASE SAVEPOINT patchbay");
  return std::nullopt;
}

}  // namespace patchbay
