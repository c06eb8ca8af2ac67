// COPY into one table, a few batches at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "copy_encode.h"
#include "patchbay/plugin.h"
#include "patchbay/tables/null_keys.h"
#include "pg_epoch.h"

namespace patchbay {

// What a writer is to do.
struct WriterPlan {
  SchemaPtr stream;
  // With the columns that it fills.
  tables::TableToken token;
  std::vector<CopyEncoder::Pair> pairs;
  // No other writer of the epoch can come to the table: see tables::is_last_of_table, which also
  // wants to know whether the stream was read whole.
  const tables::TableOptions* options;
};

// Each COPY is under a savepoint: where the server refuses it, the bad rows are found and rejected,
// and the rest goes in. Where the writer is alone in its epoch, a COPY takes small batches
// together, and the server works on it while the next ones are read.
class CopyWriter : public Writer, private CopyUnderWay {
 public:
  // `into` is what COPY fills, in SQL; the token has the names of the columns.
  CopyWriter(std::shared_ptr<EpochSession> session, std::shared_ptr<EpochTable> table,
             WriterPlan plan, const std::string& into);
  ~CopyWriter() override;

  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 protected:
  // After everything written is in the table.
  postgres::Connection& settled(Call& call);
  // Adds the token to the table's, and judges the table where nothing else will come to it.
  Prepared prepared(Call& call);

  const std::shared_ptr<EpochSession> session_;
  const std::shared_ptr<EpochTable> table_;
  WriterPlan plan_;
  const SchemaPtr stream_;
  int64_t rows_ = 0;      // that the table took
  int64_t left_out_ = 0;  // of them, by triggers

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
  std::string advice() const;
  void refuse(Call& call, const Place& place, const char* code, const std::string& reason);

  const std::string copy_;
  const CopyEncoder encoder_;
  const tables::NullKeys null_keys_;
  bool is_open_ = true;  // the table counts it
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

// Warns where triggers took some of the rows of a stream away. Called once for a writer's rows.
void warn_of_left_out(Context& context, const std::string& stream, int64_t rows, int64_t left_out);

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
