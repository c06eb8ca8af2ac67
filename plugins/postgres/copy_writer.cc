#include "copy_writer.h"

#include <numeric>

#include "narrow.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using postgres::Connection;

constexpr size_t kPiece = 128 << 10;  // bytes given to the connection at a time

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
  settle(call);
  session_->at_rest(call);
  batch_ = std::move(batch);
  send_new_rows(call);
  if (session_->open_writers > 1) settle(call);
}

Prepared CopyWriter::prepare(Call& call) {
  settled(call);
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
  session_->connection->begin_copy_in(call, copy_ + (encoder_.binary() ? " (FORMAT binary)" : ""));
  buffer_.truncate(0);
  buffer_.append(encoder_.header());
}

// Encodes and sends piece by piece, so that the server reads what was sent meanwhile.
void CopyWriter::send_new_rows(Call& call) {
  Connection& connection = *session_->connection;
  begin_copy(call);
  const RowEncoder rows(encoder_, batch_);
  sent_.clear();
  for (int64_t row = 0; row < batch_.rows(); ++row) {
    if (!required_.empty() && lacks_key(call, row)) continue;
    const std::string why = rows.append(buffer_, row);
    if (!why.empty()) {
      refuse(call, row, "type", why);
      continue;
    }
    sent_.push_back(row);
    if (buffer_.size() < kPiece) continue;
    connection.put(call, buffer_.view());
    buffer_.truncate(0);
  }
  buffer_.append(encoder_.trailer());
  connection.put(call, buffer_.view());
  connection.send_copy_end(call);
  copying_ = true;
  session_->under_way = this;
}

// Rows of the batch at hand, by their places in sent_.
std::optional<size_t> CopyWriter::copy_again(Call& call, size_t from, size_t to) {
  Connection& connection = session_->at_rest(call);
  begin_copy(call);
  const RowEncoder rows(encoder_, batch_);
  for (size_t i = from; i < to; ++i) {
    rows.append(buffer_, sent_[i]);
    if (buffer_.size() < kPiece) continue;
    connection.put(call, buffer_.view());
    buffer_.truncate(0);
  }
  buffer_.append(encoder_.trailer());
  connection.put(call, buffer_.view());
  connection.send_copy_end(call);
  const auto line = result(call);
  if (!line) return std::nullopt;
  return *line == 0 ? to : from + *line - 1;
}

std::optional<size_t> CopyWriter::result(Call& call) {
  return under_savepoint(call, *session_->connection, reason_,
                         [&] { session_->connection->finish_copy_in(call); });
}

// Refusing rows belongs into this writer's own calls, and this may be another's.
void CopyWriter::collect(Call& call) {
  session_->under_way = nullptr;
  copying_ = false;
  failed_ = result(call);
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
  batch_ = Batch();
}

bool CopyWriter::lacks_key(Call& call, int64_t row) {
  for (const size_t field : required_) {
    const ArrowArray& column = *batch_.array().children[field];
    const ColumnView view(stream_->fields[field].type, column, batch_.array().offset,
                          batch_.rows());
    if (!view.is_null(row)) continue;
    refuse(call, row, "constraint", stream_->fields[field].name + ": is null, and is a key");
    return true;
  }
  return false;
}

void CopyWriter::refuse(Call& call, int64_t row, const char* code, const std::string& reason) {
  call.reject({stream_->name, code, reason, ""}, batch_.slice(row, 1));
}

}  // namespace patchbay
