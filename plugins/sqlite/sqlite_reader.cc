#include "sqlite_reader.h"

#include "patchbay/json_text.h"
#include "patchbay/json_value.h"
#include "patchbay/sqlite_wait.h"
#include "sqlite_values.h"
#include "written_files.h"

namespace patchbay {
namespace {

constexpr int64_t kBatchBytes = 8 << 20;
constexpr const char* kRest = "temp._patchbay_rest";

class SqliteReader final : public Reader {
 public:
  SqliteReader(Call& call, Context& context, const std::string& path, const SqliteExtract& extract,
               const std::optional<std::string>& cursor, const Json::Value& state)
      : context_(context), database_(path, OpenMode::kReadOnly), stream_(extract.stream) {
    const CallWait wait(database_, call, context_);
    // One transaction, so that what is looked at first is what is read. The statement that reads
    // holds on to it.
    database_.execute("BEGIN");
    if (cursor) cursor_.emplace(database_, extract, *cursor, state);
    if (cursor_) cursor_->look_at_last();
    rows_.emplace(database_.compile("SELECT * FROM " + extract.from +
                                    (cursor_ ? cursor_->conditions() : "")));
    if (cursor_) cursor_->bind(*rows_);
    has_row_ = rows_->step();
    database_.execute("COMMIT");
    schema_ = std::make_shared<const Schema>(result_schema(stream_, *rows_, has_row_));
  }

  Event next(Call& call) override {
    const CallWait wait(database_, call, context_);
    if (!announced_) {
      announced_ = true;
      return StreamBegin{0, schema_};
    }
    BatchBuilder batch(schema_);
    for (int64_t seen = 0; has_row_ && seen < call.max_rows() && batch.bytes() < kBatchBytes;
         ++seen) {
      if ((seen & 1023) == 0) call.throw_if_cancelled();
      take_row(call, batch);
      has_row_ = rows_->step();
    }
    if (has_row_ && !is_spilled_ && blocks_a_sink()) spill();
    if (batch.rows() == 0 && !has_row_) return End{};
    return BatchEvent{0, batch.finish()};
  }

  // Rows with equal cursors stay together.
  Checkpoint checkpoint(Call& call, Json::Value& state) override {
    const CallWait wait(database_, call, context_);
    if (has_row_ && (!cursor_ || cursor_->stays_with_last(*rows_))) return Checkpoint::kNotNow;
    const Json::Value now = cursor_ ? cursor_->state() : Json::Value();
    if (now.isNull()) return Checkpoint::kUnchanged;
    state = now;
    return Checkpoint::kState;
  }

 private:
  // A sink of this process would wait for the end of this read, and the read for the sink. In WAL
  // mode nobody waits.
  bool blocks_a_sink() {
    if (!is_written_here(database_.file())) return false;
    auto mode = database_.prepare("PRAGMA journal_mode");
    return !(mode.step() && mode.text(0) == "wal");
  }

  // Takes the rest of the rows into a temporary table, which SQLite keeps in a file, and lets go of
  // the database. They are the rows of the moment at which the read began.
  void spill() {
    is_spilled_ = true;
    std::string columns, marks;
    for (int i = 0; i < rows_->columns(); ++i) {
      columns += (i == 0 ? "" : ", ") + quote_identifier(rows_->name(i) + "#" + std::to_string(i));
      marks += i == 0 ? "?" : ", ?";
    }
    database_.execute("BEGIN");
    database_.execute(std::string("CREATE TABLE ") + kRest + " (" + columns + ")");
    {
      auto keep =
          database_.compile(std::string("INSERT INTO ") + kRest + " VALUES (" + marks + ")");
      do {
        for (int i = 0; i < rows_->columns(); ++i) keep.bind_value(i + 1, *rows_, i);
        keep.run();
        keep.reset();
      } while (rows_->step());
    }
    std::string names;
    for (size_t i = 0; i < schema_->fields.size(); ++i)
      names += (i == 0 ? "" : ", ") +
               quote_identifier(schema_->fields[i].name + "#" + std::to_string(i)) + " AS " +
               quote_identifier(schema_->fields[i].name);
    rows_.reset();
    database_.execute("COMMIT");
    rows_.emplace(database_.compile("SELECT " + names + " FROM " + kRest + " ORDER BY rowid"));
    has_row_ = rows_->step();
  }

  void take_row(Call& call, BatchBuilder& batch) {
    ++row_;
    if (cursor_) {
      // Each run would read it again, or none.
      if (const auto why = cursor_->refusal(*rows_)) return reject(call, *why);
      if (!cursor_->take(*rows_)) return;
    }
    const int64_t before = batch.rows();
    for (size_t i = 0; i < schema_->fields.size(); ++i) {
      const Field& field = schema_->fields[i];
      if (append_value(*rows_, static_cast<int>(i), field.type, batch.column(i))) continue;
      batch.truncate(before);
      return reject(call,
                    field.name + ": expected " + type_name(field.type) + ", found another type");
    }
  }

  void reject(Call& call, const std::string& reason) {
    Json::Value record(Json::objectValue);
    for (int i = 0; i < rows_->columns(); ++i) {
      Json::Value& value = record[rows_->name(i)];
      if (rows_->is_null(i)) continue;
      value = rows_->type(i) == SQLITE_BLOB ? base64(rows_->bytes(i)) : rows_->text(i);
    }
    call.reject_record({stream_, "type", reason, "{\"row\":" + std::to_string(row_) + "}"},
                       record.toStyledString());
  }

  Context& context_;
  Database database_;
  const std::string stream_;
  std::optional<SqliteCursor> cursor_;
  std::optional<Statement> rows_;
  SchemaPtr schema_;
  int64_t row_ = 0;
  bool has_row_ = false, announced_ = false, is_spilled_ = false;
};

}  // namespace

Schema result_schema(const std::string& stream, const Statement& row, bool has_row) {
  Schema schema{stream, {}, {}};
  for (int i = 0; i < row.columns(); ++i) {
    Type type = type_of_declared(row.declared_type(i));
    if (row.declared_type(i).empty() && has_row) {
      const int stored = row.type(i);
      type = scalar(stored == SQLITE_INTEGER ? TypeId::kInt64
                    : stored == SQLITE_FLOAT ? TypeId::kFloat64
                    : stored == SQLITE_BLOB  ? TypeId::kBinary
                                             : TypeId::kUtf8);
    }
    schema.fields.push_back({row.name(i), type, true});
  }
  return schema;
}

std::unique_ptr<Reader> make_sqlite_reader(Call& call, Context& context, const std::string& path,
                                           const SqliteExtract& extract,
                                           const std::optional<std::string>& cursor,
                                           const Json::Value& state) {
  return std::make_unique<SqliteReader>(call, context, path, extract, cursor, state);
}

}  // namespace patchbay
