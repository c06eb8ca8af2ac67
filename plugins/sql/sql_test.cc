// The transform through its C tables, with DuckDB behind it.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

using test::FakeInput;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SqlTest : public testing::Test {
 protected:
  SqlTest() {
    options_["engine"] = "duckdb";
    options_["memory_limit"] = "1GiB";
    options_["spill_limit"] = "1GiB";
    options_["spill_directory"] = "/tmp";
    options_["threads"] = 2;
    options_["files"] = "chunks";
  }

  // One stream of one row per given number and text.
  static FakeInput stream(const std::string& name,
                          const std::vector<std::pair<int64_t, const char*>>& rows) {
    const auto schema = std::make_shared<Schema>(
        Schema{name, {{"id", scalar(TypeId::kInt64)}, {"text", scalar(TypeId::kUtf8)}}, {}});
    BatchBuilder builder(schema);
    for (const auto& [id, text] : rows) {
      builder.column<Int64Builder>(0).append(id);
      builder.column<Utf8Builder>(1).append(text);
    }
    FakeInput input;
    input.stream(0, schema);
    if (!rows.empty()) input.batch(0, builder.finish());
    return input;
  }

  // The stream t of so many batches, each of a thousand rows of 200 bytes that no compression
  // makes less.
  static FakeInput wide_stream(int64_t batches) {
    const auto schema = std::make_shared<Schema>(
        Schema{"t", {{"id", scalar(TypeId::kInt64)}, {"text", scalar(TypeId::kUtf8)}}, {}});
    std::mt19937 random;
    std::string text(200, ' ');
    FakeInput input;
    input.stream(0, schema);
    for (int64_t id = 0; id < batches * 1000;) {
      BatchBuilder builder(schema);
      do {
        builder.column<Int64Builder>(0).append(id);
        builder.column<Utf8Builder>(1).append(text);
        for (char& c : text) c = static_cast<char>(' ' + random() % 95);
      } while (++id % 1000 != 0);
      input.batch(0, builder.finish());
    }
    return input;
  }

  std::vector<Batch> run(const std::string& query, std::deque<FakeInput> inputs) {
    options_["query"] = query;
    return run(std::move(inputs));
  }
  std::vector<Batch> run(std::deque<FakeInput> inputs) {
    test::TransformDriver transform(host_, *patchbay_plugin_v1(test::FakeHost::table()), "sql",
                                    options_);
    std::vector<FakeInput*> pointers;
    for (auto& input : inputs) pointers.push_back(&input);
    return transform.open(pointers).batches();
  }
  std::vector<std::string> json(const std::string& query) {
    std::deque<FakeInput> inputs;
    inputs.push_back(stream("t", {{1, "one"}, {2, "two"}}));
    return test::rows_as_json(run(query, std::move(inputs)));
  }
  Type type_of(const std::string& expression) {
    std::deque<FakeInput> inputs;
    inputs.push_back(stream("t", {{1, "one"}}));
    const auto batches = run("SELECT " + expression + " AS x FROM t", std::move(inputs));
    return batches.at(0).schema()->fields.at(0).type;
  }
  std::pair<Code, std::string> refusal(const std::string& query) {
    try {
      json(query);
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {Code::kInternal, "no error"};
  }

  test::FakeHost host_;
  Json::Value options_{Json::objectValue};
};

TEST_F(SqlTest, JoinsStreamsOfSeveralInputs) {
  std::deque<FakeInput> inputs;
  inputs.push_back(stream("left", {{1, "a"}, {2, "b"}}));
  inputs.push_back(stream("right", {{2, "c"}, {3, "d"}}));
  EXPECT_THAT(
      test::rows_as_json(run("SELECT coalesce(l.id, r.id) AS id, l.text AS a, r.text AS b "
                             "FROM \"left\" l FULL JOIN \"right\" r ON l.id = r.id ORDER BY 1",
                             std::move(inputs))),
      ElementsAre(R"({"id":1,"a":"a","b":null})", R"({"id":2,"a":"b","b":"c"})",
                  R"({"id":3,"a":null,"b":"d"})"));
}

TEST_F(SqlTest, GivesOneStreamPerQuery) {
  options_["queries"]["all"] = "SELECT * FROM t";
  options_["queries"]["counted"] = "SELECT count(*) AS n FROM t";
  std::deque<FakeInput> inputs;
  inputs.push_back(stream("t", {{1, "one"}, {2, "two"}}));
  const auto batches = run(std::move(inputs));
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].schema()->name, "all");
  EXPECT_EQ(batches[1].schema()->name, "counted");
}

TEST_F(SqlTest, NamesTheOnlyStreamAsItCame) {
  std::deque<FakeInput> inputs;
  inputs.push_back(stream("people", {{1, "one"}}));
  EXPECT_EQ(run("SELECT * FROM people", std::move(inputs)).at(0).schema()->name, "people");
}

TEST_F(SqlTest, AnEmptyStreamIsAnEmptyTable) {
  std::deque<FakeInput> inputs;
  inputs.push_back(stream("t", {}));
  EXPECT_THAT(
      test::rows_as_json(run("SELECT count(*) AS n, sum(id) AS s FROM t", std::move(inputs))),
      ElementsAre(R"({"n":0,"s":null})"));
}

TEST_F(SqlTest, AStreamWhoseFieldsChangeIsTheUnion) {
  FakeInput input = stream("t", {{1, "one"}});
  const auto wider = std::make_shared<Schema>(
      Schema{"t", {{"id", scalar(TypeId::kInt64)}, {"added", scalar(TypeId::kBool)}}, {}});
  BatchBuilder builder(wider);
  builder.column<Int64Builder>(0).append(2);
  builder.column<BoolBuilder>(1).append(true);
  input.stream(0, wider);
  input.batch(0, builder.finish());
  std::deque<FakeInput> inputs;
  inputs.push_back(std::move(input));
  EXPECT_THAT(
      test::rows_as_json(run("SELECT * FROM t ORDER BY id", std::move(inputs))),
      ElementsAre(R"({"id":1,"text":"one","added":null})", R"({"id":2,"text":null,"added":true})"));
}

TEST_F(SqlTest, RowsOfManyBatchesKeepTheirOrder) {
  std::deque<FakeInput> inputs;
  inputs.push_back(wide_stream(100));
  int64_t next = 0;
  for (const auto& batch : run("SELECT id FROM t", std::move(inputs))) {
    const auto* ids = static_cast<const int64_t*>(batch.array().children[0]->buffers[1]) +
                      batch.array().children[0]->offset;
    for (int64_t row = 0; row < batch.rows(); ++row) ASSERT_EQ(ids[row], next++);
  }
  EXPECT_EQ(next, 100'000);
}

TEST_F(SqlTest, TypesOfResults) {
  const std::pair<const char*, const char*> cases[] = {
      {"sum(id)", "int64"},
      {"count(*)", "int64"},
      {"sum(1.25::decimal(8, 3))", "decimal128(38, 3)"},
      {"id::uhugeint", "decimal128(38, 0)"},
      {"12.5::decimal(10, 2)", "decimal128(10, 2)"},
      {"1::float", "float32"},
      {"'x'::enum('x', 'y')", "utf8"},
      {"['x'::enum('x', 'y')]", "list<utf8>"},
      {"{'a': 1, 'b': [{'c': timestamp_ns '2020-01-01'}]}",
       "struct<a: int32, b: list<struct<c: timestamp[us]>>>"},
      {"array_value(1, 2)", "list<int32>"},
      {"uuid()", "utf8"},
      {"'{\"a\": 1}'::json", "arrow.json"},
      {"timestamptz '2020-01-01 12:00:00+02'", "timestamp[us, UTC]"},
      {"now()", "timestamp[us, UTC]"},
      {"timestamp_s '2020-01-01'", "timestamp[us]"},
      {"time '12:00'", "time64[us]"},
      {"date '2020-01-01'", "date32"},
      {"'\\x00'::blob", "binary"},
      {"'101'::bit", "utf8"},
      {"null", "int32"}};
  for (const auto& [expression, type] : cases) {
    const bool aggregate = std::string_view(expression).starts_with("sum") ||
                           std::string_view(expression).starts_with("count");
    EXPECT_EQ(
        type_name(type_of(aggregate ? expression : "any_value(" + std::string(expression) + ")")),
        type)
        << expression;
  }
}

TEST_F(SqlTest, MoneyIsExact) {
  EXPECT_THAT(json("SELECT sum(0.1::decimal(8, 3) * 3) AS m, sum(2.55::decimal(8, 3)) AS n FROM t"),
              ElementsAre(R"({"m":"0.600","n":"5.100"})"));
}

TEST_F(SqlTest, TypesWithoutACounterpartSayWhatToDo) {
  for (const char* expression :
       {"map {'a': 1}", "interval 1 day", "time with time zone '01:02:03+01'"}) {
    const auto [code, message] = refusal("SELECT " + std::string(expression) + " AS x FROM t");
    EXPECT_EQ(code, Code::kConfig) << expression;
    EXPECT_THAT(message,
                AllOf(HasSubstr("query: column x is"), HasSubstr("patchbay does not move")))
        << expression;
  }
  EXPECT_THAT(refusal("SELECT id, text AS id FROM t").second, HasSubstr("column id comes twice"));
}

TEST_F(SqlTest, FaultsOfTheQueryHaveLineAndColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT\n  id +\n  FROM t",
       "query: line 3, column 3: Parser Error: syntax error at or near \"FROM\""},
      {"SELECT idd FROM t",
       "query: line 1, column 8: Binder Error: Referenced column \"idd\" not found"},
      {"SELECT *\nFROM tt",
       "query: line 2, column 6: there is no table tt; what comes in is t, did you mean t?"},
      {"SELECT text, sum(id) FROM t", "must appear in the GROUP BY clause"}};
  for (const auto& [query, why] : cases) {
    const auto [code, message] = refusal(query);
    EXPECT_EQ(code, Code::kConfig) << query;
    EXPECT_THAT(message, HasSubstr(why)) << query;
  }
}

// A value of a record may be a patient's: it is in no message.
TEST_F(SqlTest, FaultsOfDataShowNoValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT id,\n text::int AS n FROM t", "query: line 2, column 6: a value can't be converted"},
      {"SELECT (id * 9223372036854775806) AS n FROM t", "out of its type's range"},
      {"SELECT (id + 1000)::tinyint AS n FROM t", "a value can't be converted"},
      {"SELECT sum(9223372036854775807 * id::hugeint) AS n FROM t", "a value can't be converted"},
      {"SELECT error(text) AS n FROM t", "a function refuses a value"}};
  for (const auto& [query, why] : cases) {
    const auto [code, message] = refusal(query);
    EXPECT_EQ(code, Code::kData) << query << message;
    EXPECT_THAT(message, AllOf(HasSubstr(why), Not(HasSubstr("one")), Not(HasSubstr("922")),
                               Not(HasSubstr("100"))))
        << query;
  }
}

TEST_F(SqlTest, SeesNothingButItsInputs) {
  for (const char* query :
       {"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')", "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM 'http://127.0.0.1:1/x.parquet'", "SELECT getenv('HOME') FROM t",
        "SELECT * FROM sqlite_scan('/tmp/x', 't')"}) {
    EXPECT_EQ(refusal(query).first, Code::kConfig) << query;
  }
  for (const char* query :
       {"COPY t TO '/tmp/patchbay-sql-test.csv'", "ATTACH '/tmp/patchbay-sql-test.db'",
        "INSTALL httpfs", "SET threads = 1", "SELECT 1; DROP TABLE t", "DELETE FROM t",
        "PRAGMA database_list", "WITH a AS (SELECT 1) INSERT INTO t SELECT 1, 'x'"}) {
    EXPECT_EQ(refusal(query).first, Code::kConfig) << query;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/patchbay-sql-test.csv"));
}

TEST_F(SqlTest, AHugeResultComesInBoundedBatches) {
  options_["memory_limit"] = "64MiB";
  options_["query"] = "SELECT i, repeat('x', 100) AS x FROM t, range(200000) r(i)";
  test::TransformDriver transform(host_, *patchbay_plugin_v1(test::FakeHost::table()), "sql",
                                  options_);
  FakeInput input = stream("t", {{1, "one"}, {2, "two"}, {3, "three"}});
  auto reader = transform.open({&input});
  int64_t rows = 0;
  for (;;) {
    const Event event = reader.next();
    if (std::holds_alternative<End>(event)) break;
    if (const auto* batch = std::get_if<BatchEvent>(&event)) rows += batch->batch.rows();
  }
  EXPECT_EQ(rows, 600000);
}

TEST_F(SqlTest, MemoryAndDiskAreLimited) {
  options_["memory_limit"] = "32MiB";
  options_["spill_limit"] = "1MiB";
  const auto [code, message] =
      refusal("SELECT list(i ORDER BY hash(i)) AS l FROM t, range(5000000) r(i)");
  EXPECT_EQ(code, Code::kConfig);
  EXPECT_THAT(message, HasSubstr("memory_limit"));
}

TEST_F(SqlTest, InputsThatFitNeitherMemoryNorDiskSaySo) {
  options_["memory_limit"] = "16MiB";
  options_["spill_limit"] = "1MiB";
  std::deque<FakeInput> inputs;
  inputs.push_back(wide_stream(300));
  try {
    run("SELECT count(*) AS n FROM t", std::move(inputs));
    ADD_FAILURE() << "they fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("needs more memory or disk than memory_limit"));
    EXPECT_THAT(error.what(), Not(HasSubstr("invalidated")));
  }
}

TEST_F(SqlTest, TheSpillDirectoryMustBeThereAndIsLeftEmpty) {
  options_["spill_directory"] = "/no/such/folder";
  EXPECT_THAT(refusal("SELECT 1 FROM t").second, HasSubstr("spill_directory: /no/such/folder"));
  const std::string parent = testing::TempDir() + "/spill";
  std::filesystem::create_directories(parent + "/patchbay-sql-killed");
  {
    std::FILE* lock = std::fopen((parent + "/patchbay-sql-killed/lock").c_str(), "w");
    std::fclose(lock);
  }
  options_["spill_directory"] = parent;
  options_["memory_limit"] = "32MiB";
  json("SELECT i FROM t, range(2000000) r(i) ORDER BY hash(i) LIMIT 1");
  EXPECT_TRUE(std::filesystem::is_empty(parent));
}

TEST_F(SqlTest, TheSpillDirectoryIsWhereNobodyElseCanReplaceAFolder) {
  namespace fs = std::filesystem;
  const std::string parent = fs::temp_directory_path() / "patchbay-sql-test-open";
  fs::create_directories(parent);
  options_["spill_directory"] = parent;
  ASSERT_EQ(chmod(parent.c_str(), 0777), 0);
  const auto [code, message] = refusal("SELECT 1 FROM t");
  EXPECT_EQ(code, Code::kConfig);
  EXPECT_THAT(message, HasSubstr("spill_directory: " + parent +
                                 ": others than its owner may write to it (mode 0777); run `chmod "
                                 "o-w " +
                                 parent + "`, or name another"));
  ASSERT_EQ(chmod(parent.c_str(), 01777), 0);
  // What another user left there is not this run's to remove.
  const std::string other = parent + "/patchbay-sql-other";
  fs::create_directories(other);
  std::ofstream(other + "/lock") << "";
  ASSERT_EQ(chown(other.c_str(), 65534, 65534), 0);
  json("SELECT 1 AS one FROM t");
  EXPECT_TRUE(fs::exists(other));
  fs::remove_all(parent);
}

TEST_F(SqlTest, ACancelledQueryEndsWithinASecond) {
  options_["query"] =
      "SELECT count(*) AS n FROM t, range(1000000) a(x), range(1000000) b(y) WHERE hash(x + y) % 7 "
      "= 1";
  test::TransformDriver transform(host_, *patchbay_plugin_v1(test::FakeHost::table()), "sql",
                                  options_);
  FakeInput input = stream("t", {{1, "one"}});
  auto reader = transform.open({&input});
  std::chrono::steady_clock::time_point cancelled;
  const std::clock_t before = std::clock();
  std::jthread cancel([&] {
    while (std::clock() - before < CLOCKS_PER_SEC / 3) std::this_thread::yield();  // it is at work
    cancelled = std::chrono::steady_clock::now();
    host_.cancel();
  });
  try {
    reader.events();
    ADD_FAILURE() << "the query ended by itself";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled) << error.what();
  }
  cancel.join();
  EXPECT_LT(std::chrono::steady_clock::now() - cancelled, std::chrono::seconds(2));
}

TEST_F(SqlTest, BindTellsTheStreamsWithoutData) {
  options_["query"] = "SELECT text, sum(id) AS total FROM t GROUP BY text";
  test::TransformDriver transform(host_, *patchbay_plugin_v1(test::FakeHost::table()), "sql",
                                  options_);
  const auto out = transform.bind(
      {{"t", {{"id", scalar(TypeId::kInt64)}, {"text", scalar(TypeId::kUtf8)}}, {}}});
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(type_name(out[0].fields.at(1).type), "int64");
}

TEST_F(SqlTest, ChunksOfFilesAreRowsUnlessTheFilesAreTaken) {
  const auto objects = [] {
    const auto schema = std::make_shared<const Schema>(object_schema("t"));
    ObjectBuilder chunks(schema);
    chunks.append({"a.txt", {}, {}, {}, 0, "abc", false});
    chunks.append({"a.txt", {}, {}, {}, 3, "d", true});
    std::deque<FakeInput> inputs(1);
    inputs[0].stream(0, schema);
    inputs[0].batch(0, chunks.finish());
    return inputs;
  };
  const std::string query = "SELECT count(*) AS n FROM t";
  EXPECT_THAT(test::rows_as_json(run(query, objects())), ElementsAre(R"({"n":2})"));
  options_["files"] = "parquet";
  try {
    run(query, objects());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("a.txt: can't be read as Parquet"));
  }
}

TEST_F(SqlTest, BigQueryTakesNoRows) {
  options_["engine"] = "bigquery";
  EXPECT_EQ(refusal("SELECT id FROM t"),
            std::pair(Code::kConfig, std::string("stream t: sends rows, where tables inside "
                                                 "BigQuery are needed; read them by reference")));
}

}  // namespace
}  // namespace patchbay
