#include <cerrno>
#include <new>

#include "driver.h"

namespace patchbay::adbc {
namespace {

// Batches of one schema as an Arrow C stream, which owns them.
struct BatchStream {
  std::vector<Batch> batches;
  size_t at = 0;

  static BatchStream& of(ArrowArrayStream* stream) {
    return *static_cast<BatchStream*>(stream->private_data);
  }
  static int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
    try {
      export_schema(*of(stream).batches.front().schema(), out);
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
    return 0;
  }
  static int get_next(ArrowArrayStream* stream, ArrowArray* out) {
    BatchStream& self = of(stream);
    *out = ArrowArray{};
    if (self.at < self.batches.size()) self.batches[self.at++].take().move_to(out);
    return 0;
  }
  static const char* get_last_error(ArrowArrayStream*) { return "out of memory"; }
  static void release(ArrowArrayStream* stream) {
    delete &of(stream);
    stream->release = nullptr;
  }
};

class Statement {
 public:
  Statement(const AdbcDriver& driver, AdbcConnection& connection) : driver_(driver), statement_{} {
    CallError error;
    error.check(driver_.StatementNew(&connection, &statement_, error.raw()));
  }
  ~Statement() {
    CallError error;
    driver_.StatementRelease(&statement_, error.raw());
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void option(const char* key, const std::string& value) {
    CallError error;
    error.check(driver_.StatementSetOption(&statement_, key, value.c_str(), error.raw()));
  }
  void sql(const std::string& text) {
    CallError error;
    error.check(driver_.StatementSetSqlQuery(&statement_, text.c_str(), error.raw()));
  }
  void bind(std::vector<Batch> batches) {
    ArrowArrayStream stream{BatchStream::get_schema, BatchStream::get_next,
                            BatchStream::get_last_error, BatchStream::release,
                            new BatchStream{std::move(batches)}};
    CallError error;
    const AdbcStatusCode status = driver_.StatementBindStream(&statement_, &stream, error.raw());
    // A driver that refuses leaves it where it is.
    if (stream.release) stream.release(&stream);
    error.check(status);
  }
  void schema(ArrowSchema* out) {
    CallError error;
    error.check(driver_.StatementExecuteSchema(&statement_, out, error.raw()));
  }
  void execute(ArrowArrayStream* out) {
    CallError error;
    error.check(driver_.StatementExecuteQuery(&statement_, out, nullptr, error.raw()), true);
  }

 private:
  const AdbcDriver& driver_;
  AdbcStatement statement_;
};

}  // namespace

Database::Database(std::shared_ptr<const AdbcDriver> driver, const Options& options)
    : driver_(std::move(driver)), database_(std::make_unique<AdbcDatabase>()) {
  CallError error;
  error.check(driver_->DatabaseNew(database_.get(), error.raw()));
  try {
    for (const auto& [key, value] : options) {
      CallError refused;
      refused.check(
          driver_->DatabaseSetOption(database_.get(), key.c_str(), value.c_str(), refused.raw()));
    }
    CallError refused;
    refused.check(driver_->DatabaseInit(database_.get(), refused.raw()));
  } catch (const Failure&) {
    CallError ignored;
    driver_->DatabaseRelease(database_.get(), ignored.raw());
    throw;
  }
}

Database::~Database() {
  CallError error;
  driver_->DatabaseRelease(database_.get(), error.raw());
}

Connection::Connection(Database& database)
    : driver_(database.driver_), connection_(std::make_unique<AdbcConnection>()) {
  CallError error;
  error.check(driver_->ConnectionNew(connection_.get(), error.raw()));
  CallError refused;
  const AdbcStatusCode status =
      driver_->ConnectionInit(connection_.get(), database.database_.get(), refused.raw());
  if (status == ADBC_STATUS_OK) return;
  CallError ignored;
  driver_->ConnectionRelease(connection_.get(), ignored.raw());
  refused.check(status);
}

Connection::~Connection() {
  CallError error;
  driver_->ConnectionRelease(connection_.get(), error.raw());
}

void Connection::append(const std::string& table, std::vector<Batch> batches, bool create) {
  Statement statement(*driver_, *connection_);
  statement.option("adbc.ingest.target_table", table);
  statement.option("adbc.ingest.mode",
                   create ? "adbc.ingest.mode.create" : "adbc.ingest.mode.append");
  statement.bind(std::move(batches));
  statement.execute(nullptr);
}

void Connection::schema_of(const std::string& sql, ArrowSchema* out) {
  Statement statement(*driver_, *connection_);
  statement.sql(sql);
  statement.schema(out);
}

Rows Connection::query(const std::string& sql) {
  Statement statement(*driver_, *connection_);
  statement.sql(sql);
  auto stream = std::make_unique<ArrowArrayStream>();
  statement.execute(stream.get());
  return Rows(driver_, std::move(stream));
}

void Connection::execute(const std::string& sql) {
  Rows rows = query(sql);
  while (rows.next()) continue;
}

void Connection::cancel() {
  if (!driver_->ConnectionCancel) return;
  CallError error;
  driver_->ConnectionCancel(connection_.get(), error.raw());
}

Rows::Rows(std::shared_ptr<const AdbcDriver> driver, std::unique_ptr<ArrowArrayStream> stream)
    : driver_(std::move(driver)),
      stream_(std::move(stream)),
      schema_(std::make_unique<ArrowSchema>()) {
  if (stream_->get_schema(stream_.get(), schema_.get()) == 0) return;
  const char* text = stream_->get_last_error(stream_.get());
  const std::string message = text ? text : "no schema";
  stream_->release(stream_.get());
  throw Failure(message, true);
}

Rows::Rows(Rows&&) noexcept = default;

Rows::~Rows() {
  if (schema_ && schema_->release) schema_->release(schema_.get());
  if (stream_ && stream_->release) stream_->release(stream_.get());
}

std::optional<Array> Rows::next() {
  ArrowArray array{};
  if (stream_->get_next(stream_.get(), &array) != 0) {
    const char* text = stream_->get_last_error(stream_.get());
    throw Failure(text ? text : "the rows end early", true);
  }
  if (!array.release) return std::nullopt;
  return Array(&array);
}

}  // namespace patchbay::adbc
