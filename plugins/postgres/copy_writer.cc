#include "copy_writer.h"

#include <numeric>

#include "narrow.h"

namespace patchbay {
namespace {

using postgres::Connection;

constexpr size_t kPiece = 32 << 10;  // bytes given to the connection at a time
// From which on a COPY ends: its batches stay in memory until the server has judged them. A batch
// takes some for itself.
constexpr int64_t kHeldBytes = 768 << 10, kBatchFrame = 8 << 10;

}  // namespace

CopyWriter::CopyWriter(std::shared_ptr<EpochSession> session, std::shared_ptr<EpochTable> table,
                       WriterPlan plan, const std::string& into)
    : session_(std::move(session)),
      table_(std::move(table)),
      plan_(std::move(plan)),
      stream_(plan_.stream),
      copy_("SAVEPOINT patchbay; COPY " + into + " (" + list_of(plan_.token.columns) +
            ") FROM STDIN"),
      encoder_(stream_, plan_.pairs),
      null_keys_(stream_, kPgNames, plan_.token.keys) {
  ++session_->open_writers;
  ++table_->open;
}

CopyWriter::~CopyWriter() {
  --session_->open_writers;
  if (is_open_) --table_->open;
  if (session_->under_way == this) session_->under_way = nullptr;
}

void CopyWriter::write(Call& call, Batch batch) {
  if (!plan_.token.keys.empty()) batch = null_keys_.without(call, std::move(batch));
  if (!open_) {
    settle(call);
    session_->between_copies(call);
    if (session_->own_path) session_->for_rows(call);
    begin_copy(call);
    copying_ = open_ = true;
    session_->under_way = this;
  }
  send(call, std::move(batch));
  if (session_->open_writers > 1) {
    settle(call);
  } else if (held_bytes_ >= kHeldBytes) {
    end_copy(call);
  }
}

Prepared CopyWriter::prepare(Call& call) {
  settled(call);
  warn_of_left_out(session_->context, stream_->name, rows_, left_out_);
  return prepared(call);
}

void warn_of_left_out(Context& context, const std::string& stream, int64_t rows, int64_t left_out) {
  if (left_out == 0) return;
  context.log(BAY_LOG_WARN, stream + ": a trigger of the table left out or took elsewhere " +
                                std::to_string(left_out) + " of " + std::to_string(rows) + " rows");
}

Connection& CopyWriter::settled(Call& call) {
  settle(call);
  return session_->at_rest(call);
}

Prepared CopyWriter::prepared(Call& call) {
  const Epoch epoch = call.epoch();
  plan_.token.rows = rows_;
  plan_.token.complete = epoch.complete;
  plan_.token.more["process"] = session_->connection->process();
  plan_.token.more["started"] = session_->started;
  table_->group.tokens.push_back(plan_.token);
  is_open_ = false;
  --table_->open;
  if (tables::is_last_of_table(*plan_.options, kPgNames, stream_->name, epoch))
    table_->judge(call, session_->at_rest(call));
  call.durable_step("postgres.prepared");
  return {plan_.token.text(), rows_};
}

void CopyWriter::begin_copy(Call& call) {
  const char* release =
      std::exchange(session_->has_savepoint, false) ? "RELEASE SAVEPOINT patchbay; " : "";
  session_->connection->begin_copy_in(
      call, release + copy_ + (encoder_.binary() ? " (FORMAT binary)" : ""));
  buffer_.truncate(0);
  buffer_.append(encoder_.header());
}

void CopyWriter::end_copy(Call& call) {
  open_ = false;
  buffer_.append(encoder_.trailer());
  put(call);
  session_->connection->send_copy_end(call);
}

void CopyWriter::put(Call& call) {
  session_->connection->put(call, buffer_.view());
  buffer_.truncate(0);
}

// Encodes and sends piece by piece, so that the server reads what was sent meanwhile.
void CopyWriter::send(Call& call, Batch batch) {
  held_bytes_ += batch.bytes() + kBatchFrame;
  batches_.push_back(std::move(batch));
  const RowEncoder rows(encoder_, batches_.back());
  for (int64_t row = 0; row < batches_.back().rows(); ++row) {
    const Place place{static_cast<uint32_t>(batches_.size() - 1), static_cast<uint32_t>(row)};
    const std::string why = rows.append(buffer_, row);
    if (!why.empty()) {
      refuse(call, place, "type", why);
      continue;
    }
    sent_.push_back(place);
    if (buffer_.size() >= kPiece) put(call);
  }
}

// Rows at hand, by their places in sent_.
std::optional<size_t> CopyWriter::copy_again(Call& call, size_t from, size_t to) {
  session_->between_copies(call);
  begin_copy(call);
  std::optional<RowEncoder> rows;
  for (size_t i = from; i < to; ++i) {
    if (i == from || sent_[i].batch != sent_[i - 1].batch)
      rows.emplace(encoder_, batches_[sent_[i].batch]);
    rows->append(buffer_, sent_[i].row);
    if (buffer_.size() >= kPiece) put(call);
  }
  end_copy(call);
  const auto line = result(call, to - from);
  if (!line) return std::nullopt;
  return *line == 0 ? to : from + *line - 1;
}

std::optional<size_t> CopyWriter::result(Call& call, size_t rows) {
  int64_t stored = 0;
  const auto failed = under_savepoint(call, *session_->connection, reason_,
                                      [&] { stored = session_->connection->finish_copy_in(call); });
  session_->has_savepoint = !failed;
  if (!failed) left_out_ += static_cast<int64_t>(rows) - stored;
  return failed;
}

// Refusing rows belongs into this writer's own calls, and this may be another's.
void CopyWriter::collect(Call& call) {
  session_->under_way = nullptr;
  copying_ = false;
  if (open_) end_copy(call);
  failed_ = result(call, sent_.size());
  if (failed_) failed_ = *failed_ == 0 ? sent_.size() : *failed_ - 1;
}

void CopyWriter::settle(Call& call) {
  if (copying_) collect(call);
  const int64_t sent = static_cast<int64_t>(sent_.size());
  if (failed_) {
    std::optional<std::optional<size_t>> known = std::exchange(failed_, std::nullopt);
    narrow(
        sent_.size(),
        [&](size_t from, size_t to) {
          const auto first = std::exchange(known, std::nullopt);
          return first ? *first : copy_again(call, from, to);
        },
        [&](size_t place) {
          refuse(call, sent_[place], "constraint", reason_ + advice());
          --rows_;
        });
  }
  rows_ += sent;
  sent_.clear();
  batches_.clear();
  held_bytes_ = 0;
}

// A table that is replaced need not keep its types.
std::string CopyWriter::advice() const {
  const bool may = plan_.token.write == tables::WriteMode::kReplace && !encoder_.binary();
  return may ? "; recreate: true would make the table anew with the stream's types" : "";
}

void CopyWriter::refuse(Call& call, const Place& place, const char* code,
                        const std::string& reason) {
  call.reject({stream_->name, code, reason, ""}, batches_[place.batch].slice(place.row, 1));
}

}  // namespace patchbay
