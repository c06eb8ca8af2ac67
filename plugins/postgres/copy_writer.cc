#include "copy_writer.h"

#include <numeric>

#include "narrow.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using postgres::Connection;

constexpr size_t kPiece = 32 << 10;  // bytes given to the connection at a time
// From which on a COPY ends: its batches stay in memory until the server has judged them. A batch
// takes some for itself.
constexpr int64_t kHeldBytes = 768 << 10, kBatchFrame = 8 << 10;

std::string list_of(const std::vector<CopyEncoder::Pair>& pairs) {
  std::string out;
  for (const auto& pair : pairs)
    out += (out.empty() ? "" : ", ") + postgres::quote_identifier(pair.column.name);
  return out;
}

}  // namespace

CopyWriter::CopyWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream,
                       const std::string& table, std::vector<CopyEncoder::Pair> pairs)
    : stream_(stream),
      session_(std::move(session)),
      copy_("SAVEPOINT patchbay; COPY " + table + " (" + list_of(pairs) + ") FROM STDIN"),
      encoder_(std::move(stream), std::move(pairs)) {
  ++session_->open_writers;
}

CopyWriter::~CopyWriter() {
  --session_->open_writers;
  if (session_->under_way == this) session_->under_way = nullptr;
}

void CopyWriter::write(Call& call, Batch batch) {
  if (!open_) {
    settle(call);
    session_->between_copies(call);
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
  if (left_out_ > 0) {
    session_->context.log(BAY_LOG_WARN,
                          stream_->name + ": a trigger of the table left out or took elsewhere " +
                              std::to_string(left_out_) + " of " + std::to_string(rows_) + " rows");
  }
  return prepared(call, rows_);
}

Connection& CopyWriter::settled(Call& call) {
  settle(call);
  return session_->at_rest(call);
}

Prepared CopyWriter::prepared(Call& call, int64_t rows) {
  Json::Value token;
  token["process"] = session_->connection->process();
  token["started"] = session_->started;
  call.durable_step("postgres.prepared");
  return {write_json(token), rows};
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
    if (!required_.empty() && lacks_key(call, place)) continue;
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
          refuse(call, sent_[place], "constraint", reason_);
          --rows_;
        });
  }
  rows_ += sent;
  sent_.clear();
  batches_.clear();
  held_bytes_ = 0;
}

bool CopyWriter::lacks_key(Call& call, const Place& place) {
  const Batch& batch = batches_[place.batch];
  for (const size_t field : required_) {
    const ColumnView view(stream_->fields[field].type, *batch.array().children[field],
                          batch.array().offset, batch.rows());
    if (!view.is_null(place.row)) continue;
    refuse(call, place, "constraint", stream_->fields[field].name + ": is null, and is a key");
    return true;
  }
  return false;
}

void CopyWriter::refuse(Call& call, const Place& place, const char* code,
                        const std::string& reason) {
  call.reject({stream_->name, code, reason, ""}, batches_[place.batch].slice(place.row, 1));
}

}  // namespace patchbay
