// The chain of the overhead benchmark without a host: rows, gross, total, one call after the other.
//
//   static_chain BATCHES BATCH_ROWS
//
// Prints the seconds that the rows took, without the start of the process.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "plugins/chain.h"

int main(int argc, char** argv) {
  using patchbay::BatchEvent;
  if (argc != 3) {
    std::fprintf(stderr, "usage: static_chain BATCHES BATCH_ROWS\n");
    return 2;
  }
  const int64_t batches = std::atoll(argv[1]), batch_rows = std::atoll(argv[2]);
  patchbay::Call call(nullptr, nullptr);  // the components ask nothing of it
  patchbay::chain::RowReader reader(batches, batch_rows);
  patchbay::chain::GrossMapper mapper(reader.schema());
  patchbay::chain::TotalWriter writer;
  const auto before = std::chrono::steady_clock::now();
  reader.next(call);  // the stream
  for (auto event = reader.next(call); auto* batch = std::get_if<BatchEvent>(&event);
       event = reader.next(call)) {
    writer.write(call, mapper.map(call, std::move(batch->batch)));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - before;
  const auto& totals = writer.totals();
  std::printf("{\"seconds\": %.6f, \"rows\": %lld, \"sum\": %.3f}\n", seconds.count(),
              static_cast<long long>(totals.rows), totals.sum);
  return 0;
}
