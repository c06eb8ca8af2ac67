// COPY into one table, a few batches at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "copy_encode.h"
#include "patchbay/plugin.h"
#include "pg_epoch.h"

namespace patchbay {

// Each COPY is under a savepoint: where the server refuses it, the bad rows are found and rejected,
// and the rest goes in. Where the writer is alone in its epoch, a COPY takes small batches
// together, and the server works on it while the next ones are read.
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

  int64_t rows_ = 0;      // that the table took
  int64_t left_out_ = 0;  // of them, by triggers
  const SchemaPtr stream_;

 private:
  struct Place {
    uint32_t batch, row;
  };
  void collect(Call& call) override;
  void settle(Call& call);
  void begin_copy(Call& call);
  void end_copy(Call& call);
  void put(Call& call);
  void send(Call& call, Batch batch);
  std::optional<size_t> copy_again(Call& call, size_t from, size_t to);
  std::optional<size_t> result(Call& call, size_t rows);
  bool lacks_key(Call& call, const Place& place);
  void refuse(Call& call, const Place& place, const char* code, const std::string& reason);

  const std::shared_ptr<EpochSession> session_;
  const std::string copy_;
  const CopyEncoder encoder_;
  std::vector<size_t> required_;
  WireBuffer buffer_;
  // What was sent last, until it is settled.
  std::vector<Batch> batches_;
  int64_t held_bytes_ = 0;
  std::vector<Place> sent_;       // their rows, without those refused before
  bool open_ = false;             // the COPY takes more
  bool copying_ = false;          // its result is still to come
  std::optional<size_t> failed_;  // its result: where the bad row is
  std::string reason_;            // and what the server said
};

// Runs `work`, which sets the savepoint `patchbay`, so that its failure undoes no more than itself.
// Nothing where it succeeded, and the savepoint is there; where a row is at fault, its number
// within a COPY (0 = not said).
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
  return std::nullopt;
}

}  // namespace patchbay
