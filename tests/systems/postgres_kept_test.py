"""Two sinks that append the same rows: what the second has prepared outlives its session."""

from harness import main
from postgres_case import PostgresCase

TABLES = """CREATE TABLE first (id bigint, v text);
            CREATE TABLE second (id bigint GENERATED ALWAYS AS IDENTITY, v text CHECK (v <> 'bad'), n text DEFAULT 'none', at interval, seen int)"""
# Between the commit of the first and that of the second.
STEP = "postgres.commit.before:2"


class KeptTest(PostgresCase):
    def pair(self, options="", second=None):
        rows = "".join(f"{i},{'bad' if i == 3 else f'v{i}'},P1DT{i}S\n" for i in range(1, 6))
        (self.folder / "t.csv").write_text("id,v,at\n" + rows)
        uri = self.server.uri
        return self.pipeline(f"""
name: pair
retry: {{attempts: 2, delay: 1ms}}
rejects: {{max: 10}}
nodes:
  - {{use: files, with: {{path: t.csv, stream: t, select: new}}}}
  - {{use: csv.decode, id: rows, with: {{types: {{id: int64, v: utf8, at: utf8}}}}}}
  - {{use: fields, id: two, from: [rows], with: {{keep: [id, v]}}}}
  - {{use: postgres, id: first, from: [two], with: {{connection: "{uri}", password: {{secret: pg}}, tables: {{t: first}}}}}}
  - {{use: postgres, id: second, from: [rows], with: {{connection: "{second or uri}", password: {{secret: pg}}, tables: {{t: second}}{options}}}}}
""", "pair")

    def die_between(self, pipeline):
        self.sql(TABLES)
        killed = self.patchbay("run", pipeline, env={"PATCHBAY_FAULT": STEP})
        self.assertEqual(killed.code, -9, killed)
        self.assertEqual(self.column("SELECT count(*) FROM first"), ["5"])
        self.assertEqual(self.column("SELECT count(*) FROM second"), ["0"])

    def kept(self):
        return self.column("SELECT relname FROM pg_class WHERE relname LIKE '\\_patchbay\\_kept%'")

    def test_the_plan_says_exactly_once(self):
        report = self.run_json(self.pair()).json
        self.assertEqual((report["guarantee"], report["outcome"]), ("exactly_once", "ok"))
        self.assertEqual(self.kept(), [])

    def test_what_the_session_lost_is_still_there(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.assertEqual(len(self.kept()), 1)
        self.sql("""CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := 1; RETURN NEW; END';
                    CREATE TRIGGER t BEFORE INSERT ON second FOR EACH ROW EXECUTE FUNCTION seen()""")
        report = self.run_json(pipeline).json
        self.assertEqual(report["outcome"], "ok")
        self.assertEqual(self.sql("SELECT id, v, n, extract(epoch FROM at)::int, seen FROM second ORDER BY id"),
                         [[str(i), f"v{i}", "none", str(86400 + i), "1"] for i in (1, 2, 4, 5)])
        self.assertEqual(self.column("SELECT count(*) FROM first"), ["5"])
        self.assertEqual(self.kept(), [])
        self.assertEqual(len(self.patchbay("rejects", "list", "pair", "--output", "json").json), 1)
        self.run_json(pipeline)
        self.assertEqual(self.column("SELECT count(*) FROM second"), ["4"])

    def test_a_table_that_is_gone_holds_the_rows_back(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.sql("ALTER TABLE second RENAME TO away")
        self.fails(pipeline, 9, "table second: is gone, and the rows for it wait in")
        self.sql("ALTER TABLE away RENAME TO second")
        self.run_json(pipeline)
        self.assertEqual(self.column("SELECT count(*) FROM second"), ["4"])

    def test_a_column_that_would_round_holds_the_rows_back(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.sql("ALTER TABLE second ALTER at TYPE text")
        self.fails(pipeline, 9, "its column at was interval when rows were prepared for it, and is text")
        self.sql("ALTER TABLE second ALTER at TYPE interval USING at::interval")
        self.run_json(pipeline)
        self.assertEqual(self.column("SELECT count(*) FROM second"), ["4"])

    def test_what_somebody_took_out_of_the_kept_rows_is_missed(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.sql(f'DELETE FROM "{self.kept()[0]}" WHERE id = 1')
        self.fails(pipeline, 7, "holds 3 of the 4 rows that were kept in it")

    def test_what_is_given_up_leaves_nothing(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.patchbay("state", "discard", "pair", "--without", "second")
        self.run_json(pipeline)
        self.assertEqual((self.column("SELECT count(*) FROM second"), self.kept()), (["0"], []))

    def test_who_loses_the_kept_rows_is_told(self):
        pipeline = self.pair()
        self.die_between(pipeline)
        self.sql(f'DROP TABLE "{self.kept()[0]}"')
        self.fails(pipeline, 7, "would append them again")

    def test_nobody_else_can_read_what_is_kept(self):
        self.role("nosy")
        self.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO nosy")
        self.die_between(self.pair())
        self.assertEqual(self.column(f"SELECT has_table_privilege('nosy', 'public.\"{self.kept()[0]}\"', 'SELECT')"), ["f"])

    def test_where_it_may_not_keep_rows_it_says_what_to_do(self):
        self.sql(TABLES)
        pipeline = self.pair()
        self.sql("CREATE PUBLICATION all_of_it FOR ALL TABLES")
        self.addCleanup(self.sql, "DROP PUBLICATION IF EXISTS all_of_it")
        self.patchbay("run", pipeline)
        self.sql("DROP PUBLICATION all_of_it")
        self.run_json(pipeline)  # makes the books
        self.sql("CREATE PUBLICATION all_of_it FOR ALL TABLES; TRUNCATE first, second")
        self.patchbay("state", "reset", "pair")
        self.fails(pipeline, 3, "publication all_of_it: would send tables of the sink's own")
        self.sql("DROP PUBLICATION all_of_it")
        poor = self.role("poor", "GRANT USAGE ON SCHEMA public TO poor; GRANT ALL ON ALL TABLES IN SCHEMA public TO poor")
        self.fails(self.pair(second=poor), 4, "grant CREATE on it, or set epochs_schema")
        self.assertEqual(self.column("SELECT count(*) FROM first"), ["0"])


main()
