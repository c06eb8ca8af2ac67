#include "query.h"

#include <gmock/gmock.h>

#include <functional>

namespace patchbay {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    return error.what();
  }
  return "";
}

TEST(SingleQuery, TakesOffTheSemicolonAtTheEnd) {
  for (const std::string text :
       {"SELECT 1", "select 1 ;", "-- why\nWITH a AS (SELECT 1) FROM a;\n-- end ; here\n",
        "(SELECT 1)", "/* ; */ VALUES (';', \";\", $$;$$, $a$;$$;$a$)", "TABLE t",
        "SELECT `a;b`"}) {
    const std::string sql = single_query("query", text);
    EXPECT_EQ(sql, text.substr(0, sql.size())) << text;
    EXPECT_FALSE(sql.ends_with(";")) << text;
  }
  EXPECT_EQ(single_query("query", "SELECT ';' -- ;\n ; "), "SELECT ';' -- ;\n ");
}

TEST(SingleQuery, RefusesWhatIsNoQuery) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "holds no query"},
      {"-- nothing\n", "holds no query"},
      {"COPY t TO '/tmp/x'", "begins with COPY"},
      {"attach 'x.db'", "begins with ATTACH"},
      {"INSERT INTO t VALUES (1)", "begins with INSERT"},
      {"SELECT 1; SELECT 2", "more than one statement"},
      {"SELECT 'it''s'; DROP TABLE t", "more than one statement"},
      {"SELECT 1 /* ' */; DROP TABLE t", "more than one statement"}};
  for (const auto& [text, why] : cases) {
    EXPECT_THAT(refusal([&] { single_query("q.sql", text); }), HasSubstr(why)) << text;
  }
}

TEST(SingleQuery, EndsOnTextThatIsCutShort) {
  for (const std::string text :
       {"SELECT 'open", "SELECT \"open", "SELECT /* open", "SELECT $$ open", "SELECT $a"})
    EXPECT_EQ(single_query("query", text), text);
}

TEST(ReadQueries, WantsOneSource) {
  const auto read = [](const char* config) { return read_queries(Config::parse(config)); };
  EXPECT_THAT(refusal([&] { read("{}"); }), HasSubstr("give one of"));
  EXPECT_THAT(refusal([&] { read(R"({"query": "SELECT 1", "queries": {"a": "SELECT 1"}})"); }),
              HasSubstr("give one of"));
  EXPECT_THAT(refusal([&] { read(R"({"queries": {"a": "SELECT 1"}, "stream": "b"})"); }),
              HasSubstr("stream: not with queries"));
  EXPECT_THAT(refusal([&] { read(R"({"query_file": "/no/such.sql"})"); }),
              HasSubstr("query_file: /no/such.sql: cannot be read: No such file"));
  EXPECT_THAT(refusal([&] { read(R"({"query_file": "/tmp"})"); }), HasSubstr("is a folder"));
  EXPECT_EQ(read(R"({"queries": {"b": "SELECT 1", "a": "SELECT 2"}})")[0].stream, "a");
}

}  // namespace
}  // namespace patchbay
