// Waits for locks, and work that a cancelled call ends.
#include "patchbay/sqlite_wait.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "patchbay/testing/failure.h"
#include "patchbay/testing/fake_host.h"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using test::failure;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct SqliteWaitTest : testing::Test {
  SqliteWaitTest() {
    char name[] = "/tmp/patchbay-sqlite-wait-XXXXXX";
    folder = mkdtemp(name);
    file = folder / "t.db";
    database = std::make_unique<Database>(file, OpenMode::kCreate);
    database->execute("CREATE TABLE t (i)");
  }
  ~SqliteWaitTest() override {
    database.reset();
    std::filesystem::remove_all(folder);
  }
  void insert(LockPatience patience = {0ms, 0ms}) {
    const CallWait wait(*database, call, context, patience);
    database->execute("INSERT INTO t VALUES (1)");
  }

  test::FakeHost host;
  test::FakeCall raw{host};
  Call call{test::FakeHost::table(), raw.raw()};
  Context context{test::FakeHost::table(), host.context()};
  std::filesystem::path folder;
  std::string file;
  std::unique_ptr<Database> database;
};

TEST_F(SqliteWaitTest, AWaitIsNamedOnceAndBoundedByTheRetryOfThePipeline) {
  Database other(file, OpenMode::kExisting);
  const Transaction held(other);
  host.attempts = 3;
  EXPECT_THAT(failure([&] { insert(); }, Code::kUnavailable), HasSubstr("is locked by another"));
  EXPECT_THAT(host.retry_afters, SizeIs(3));
  ASSERT_THAT(host.logs, SizeIs(1));
  EXPECT_EQ(host.logs[0].level, BAY_LOG_WARN);
  EXPECT_THAT(host.logs[0].message,
              AllOf(HasSubstr(file + ": waits for a lock that "), HasSubstr("holds")));
}

TEST_F(SqliteWaitTest, ALockThatIsFreeIsNotWaitedFor) {
  insert();
  EXPECT_THAT(host.logs, IsEmpty());
  EXPECT_THAT(host.retry_afters, IsEmpty());
}

TEST_F(SqliteWaitTest, ACancelledCallEndsItsWait) {
  Database other(file, OpenMode::kExisting);
  const Transaction held(other);
  host.cancel();
  failure([&] { insert({10min, 10min}); }, Code::kCancelled);
}

TEST_F(SqliteWaitTest, ACancelledCallEndsAStatementAtWork) {
  host.cancel();
  const CallWait wait(*database, call, context);
  failure(
      [&] {
        database->execute(
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM "
            "c");
      },
      Code::kCancelled);
}

TEST_F(SqliteWaitTest, ATransactionThatWasCancelledIsRolledBackAndTheNextCallWorks) {
  host.cancel();
  failure(
      [&] {
        const CallWait wait(*database, call, context);
        Transaction transaction(*database);
        database->execute(
            "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "
            "x "
            "FROM c");
      },
      Code::kCancelled);
  host.restore();
  insert();
  auto count = database->compile("SELECT count(*) FROM t");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 1);
}

TEST_F(SqliteWaitTest, HoldersAreProcesses) {
  EXPECT_EQ(holders_of(file), "");
  Database other(file, OpenMode::kExisting);
  const Transaction held(other);
  // Some file systems give /proc/locks another device than stat.
  EXPECT_THAT(holders_of(file), AnyOf("this process itself", ""));
  EXPECT_EQ(holders_of(folder / "none.db"), "");
}

}  // namespace
}  // namespace patchbay
