"""Where one incremental read ends the next begins: rows of the same value, late ones, tables written anew, transactions that nobody ends."""

from harness import main
from postgres_case import PostgresCase
from postgres_source_test import Writer


class CursorTest(PostgresCase):
    def setUp(self):
        super().setUp()
        self.incremental = self.copy(", tables: {a: a}, cursor: c", ", schema: other")

    def arrived(self, expected):
        self.run_json(self.incremental)
        self.assertEqual(self.column("SELECT v FROM other.a ORDER BY v"), expected)

    def writer(self, text):
        writer = Writer(self.server, text)
        self.addCleanup(writer.done)
        return writer

    def test_rows_that_come_later_with_the_last_value_are_read_once(self):
        self.sql("CREATE TABLE a (c date, v text); INSERT INTO a VALUES ('2026-03-01', '1'), ('2026-03-02', '2')")
        self.arrived(["1", "2"])
        self.sql("INSERT INTO a VALUES ('2026-03-02', '3')")
        self.arrived(["1", "2", "3"])
        self.arrived(["1", "2", "3"])
        self.sql("INSERT INTO a VALUES ('2026-03-02', '4'); INSERT INTO a VALUES ('2026-03-03', '5')")
        self.arrived(["1", "2", "3", "4", "5"])
        self.arrived(["1", "2", "3", "4", "5"])

    def test_rows_of_the_last_value_whose_transaction_was_at_work(self):
        self.sql("CREATE TABLE a (c int, v text); INSERT INTO a VALUES (1, '1')")
        slow = self.writer("INSERT INTO a VALUES (1, '2')")
        self.arrived(["1"])
        self.sql("INSERT INTO a VALUES (1, '3')")
        self.arrived(["1"])
        slow.done()
        self.arrived(["1", "2", "3"])
        self.arrived(["1", "2", "3"])

    def test_small_epochs_leave_rows_of_one_value_together(self):
        self.sql("CREATE TABLE a (c int, v text); INSERT INTO a VALUES (1, '0')")
        self.arrived(["0"])
        self.sql("INSERT INTO a SELECT 1 + g / 10, g FROM generate_series(1, 50) g")
        self.incremental = self.copy(", tables: {a: a}, cursor: c", ", schema: other", "commit: {rows: 3}")
        self.run_json(self.incremental)
        self.run_json(self.incremental)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT v) FROM other.a"), [["51", "51"]])

    def test_a_late_row_in_a_table_that_was_written_anew_is_not_passed_over(self):
        self.sql("CREATE TABLE a (c int, v text, pad text)")
        first, second = self.writer("CREATE TABLE other.gate (id int)"), self.writer("INSERT INTO a VALUES (1, 'late', 'p')")
        first.do("INSERT INTO a VALUES (2, 'two', 'p')")
        first.done()
        self.arrived(["two"])
        second.done()
        self.sql("VACUUM FULL a")
        self.arrived(["late", "two"])
        third, fourth = self.writer("CREATE TABLE other.gate2 (id int)"), self.writer("INSERT INTO a VALUES (3, 'later', 'p')")
        third.do("INSERT INTO a VALUES (4, 'x', 'p')")
        third.done()
        self.arrived(["late", "two", "x"])
        fourth.done()
        self.sql("ALTER TABLE a ALTER pad TYPE varchar(10)  USING left(pad, 5)")
        self.fails(self.incremental, 7, "its table was written anew since the last run")

    def test_a_table_that_was_written_anew_goes_on_where_nothing_can_be_missed(self):
        self.sql("CREATE TABLE a (c int, v text); INSERT INTO a VALUES (1, '1'), (2, '2')")
        self.arrived(["1", "2"])
        self.sql("ALTER TABLE a ALTER c TYPE bigint; INSERT INTO a VALUES (3, '3')")
        self.arrived(["1", "2", "3"])
        self.sql("TRUNCATE a; INSERT INTO a VALUES (4, '4')")
        self.arrived(["1", "2", "3", "4"])
        self.sql("ALTER TABLE a ALTER c TYPE int; INSERT INTO a VALUES (4, '5')")
        self.fails(self.incremental, 7, "--full-refresh")

    def test_rows_that_wait_are_counted_and_the_transaction_named(self):
        self.sql("CREATE TABLE a AS SELECT g AS c, g::text AS v FROM generate_series(1, 10) g")
        self.run_json(self.incremental)
        self.writer("INSERT INTO a VALUES (11, 'x')")
        self.sql("INSERT INTO a SELECT g, g FROM generate_series(12, 16) g")
        said = self.run_json(self.incremental).err
        self.assertIn("a: 5 rows wait for the next run: 1 transactions are at work, the oldest, process ", said)
        self.assertEqual(self.column("SELECT count(*) FROM other.a"), ["10"])

    def test_a_target_that_is_gone_is_not_made_anew_with_the_new_rows_alone(self):
        self.sql("CREATE TABLE a AS SELECT g AS c, g::text AS v FROM generate_series(1, 10) g")
        self.run_json(self.incremental)
        self.sql("DROP TABLE other.a; INSERT INTO a VALUES (11, 'new')")
        self.fails(self.incremental, 3, "--full-refresh")


    def test_rows_of_the_last_value_in_views_and_queries_are_known_by_their_content(self):
        self.sql("CREATE TABLE s (c date, v text); INSERT INTO s VALUES ('2026-03-01', '1'), ('2026-03-02', '2'); CREATE VIEW a AS SELECT * FROM s")
        query = self.copy(", query: SELECT * FROM s, cursor: c", ", schema: other, tables: {query: q}", name="query")
        for more, expected in (("", ["1", "2"]), ("INSERT INTO s VALUES ('2026-03-02', '3')", ["1", "2", "3"]), ("", ["1", "2", "3"]),
                               ("INSERT INTO s VALUES ('2026-03-03', '4'), ('2026-03-02', '5')", ["1", "2", "3", "4", "5"]), ("", ["1", "2", "3", "4", "5"])):
            self.sql(more or "SELECT 1")
            self.arrived(expected)
            self.run_json(query)
            self.assertEqual(self.column("SELECT v FROM other.q ORDER BY v"), expected)

    def test_many_rows_of_the_last_value_in_a_view(self):
        self.sql("CREATE TABLE s AS SELECT 1 AS c, g::text AS v FROM generate_series(1, 1500) g; CREATE VIEW a AS SELECT * FROM s")
        self.run_json(self.incremental)
        self.run_json(self.incremental)
        self.assertEqual(self.column("SELECT count(*) FROM other.a"), ["1500"])
        waits = self.copy(", tables: {a: a}, cursor: c, last_value: wait", ", schema: other, tables: {a: w}", name="waits")
        for more, expected in (("SELECT 1", "0"), ("INSERT INTO s VALUES (2, 'x')", "1500"), ("INSERT INTO s VALUES (2, 'y'), (3, 'z')", "1502")):
            self.sql(more)
            self.run_json(waits)
            self.assertEqual(self.column("SELECT count(*) FROM other.w"), [expected])

    def test_equal_values_that_are_spelled_differently_stay_together(self):
        self.sql("CREATE TABLE a (c numeric, v text); INSERT INTO a SELECT CASE WHEN g % 2 = 0 THEN 1.0 ELSE 1.00 END, g FROM generate_series(1, 30) g; INSERT INTO a VALUES (2, 'x')")
        self.run_json(self.incremental, "--limit", "3", code=3)
        for _ in range(2):
            self.run_json(self.incremental)
            self.assertEqual(self.sql("SELECT count(*), count(DISTINCT v) FROM other.a"), [["31", "31"]])


class SnapshotTest(PostgresCase):
    def test_a_state_is_set_by_whatever_json_has_for_the_value(self):
        cases = [("bigint", "2", "3"), ("bigint", '"2"', "3"), ("numeric(4, 1)", "2.5", "3.0"), ("text", '"2"', "3"), ("boolean", "false", "t")]
        for number, (kind, value, expected) in enumerate(cases):
            with self.subTest(kind=kind, value=value):
                rows = "(false), (true)" if kind == "boolean" else "('1'), ('2'), ('3')"
                self.sql(f"DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS other.a, other._patchbay_epochs; CREATE TABLE a (c {kind}); INSERT INTO a VALUES {rows}")
                pipeline = self.copy(", tables: {a: a}, cursor: c", ", schema: other", name=f"set{number}")
                self.patchbay("state", "set", pipeline, "--stream", "a", f'{{"cursor": {value}}}')
                self.run_json(pipeline)
                self.assertEqual(self.column("SELECT c FROM other.a"), [expected])
        for value in ("null", "[1]", '{"a": 1}'):
            self.patchbay("state", "set", "set0", "--stream", "a", f'{{"cursor": {value}}}')
            self.fails(self.copy(", tables: {a: a}, cursor: c", ", schema: other", name="set0"), 3, "its state is none of postgres")

    def test_tables_that_inherit_are_read_once(self):
        for schema in ("public", "other"):
            self.sql(f"CREATE TABLE {schema}.log (id int); CREATE TABLE {schema}.log_2026 () INHERITS ({schema}.log)")
        self.sql("INSERT INTO log VALUES (1); INSERT INTO log_2026 VALUES (2)")
        for number, write in enumerate(("append", "replace", "replace")):
            self.run_json(self.copy("", f", schema: other, write: {write}", name=write))
            self.assertEqual(self.column("SELECT id FROM other.log ORDER BY id"), ["1", "2"])
        self.run_json(self.copy(", tables: {all: log}", "", name="named"))
        self.assertEqual(self.column('SELECT id FROM "all" ORDER BY id'), ["1", "2"])

    def test_rows_that_are_hidden_are_not_left_out_in_silence(self):
        uri = self.role("half", "GRANT USAGE ON SCHEMA public TO half; CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 100) g;"
                                "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id <= 10); GRANT SELECT ON a TO half")
        sink = ", schema: other, write: replace"
        self.fails(self.copy(", tables: {a: a}", sink, source_uri=uri), 4, "set row_security: apply")
        self.run_json(self.copy(", tables: {a: a}, row_security: apply", sink, source_uri=uri))
        self.assertEqual(self.column("SELECT count(*) FROM other.a"), ["10"])


if __name__ == "__main__":
    main()
