"""Writing into PostgreSQL: append and upsert, rows that are refused, what must not be said."""

from harness import main
from postgres_case import PostgresCase


class AppendTest(PostgresCase):
    def test_bad_rows_are_refused_with_the_servers_words_and_the_rest_stays(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, name varchar(4), amount numeric(5,2) CHECK (amount > 0), day date)")
        rows = [f"{i},n{i % 10},1.5,2024-01-01" for i in range(5000)]
        rows[17] = "17,toolong,1.5,2024-01-01"
        rows[1000] = "99999999999,n,1.5,2024-01-01"
        rows[2000] = "1999,n,1.5,2024-01-01"
        rows[3000] = "3000,n,-1,2024-01-01"
        rows[4999] = "4999,n,1.555,2024-01-01"
        pipeline = self.load("id,name,amount,day\n" + "\n".join(rows), top="rejects: {max: 5}", types="{amount: 'decimal128(9, 3)', day: date32}")
        result = self.run_json(pipeline).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (4995, 5))
        self.assertEqual(self.column("SELECT count(*) FROM t"), ["4995"])
        self.assertEqual(self.reasons(), [
            "amount: has more digits after the point than the column",
            "duplicate key value violates unique constraint \"t_pkey\"",
            "id: is beyond the column's type",
            "name: value too long for type character varying(4)",
            "new row for relation \"t\" violates check constraint \"t_amount_check\""])
        self.assertIn("toolong", self.patchbay("rejects", "export", "load").out)

    def test_one_bad_row_past_the_limit_keeps_nothing(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY)")
        self.fails(self.load("id\n1\n2\n2\n"), 6, "1 rows rejected")
        self.assertEqual(self.column("SELECT count(*) FROM t"), ["0"])

    def test_text_that_a_column_of_another_type_must_parse(self):
        self.sql("""CREATE TABLE t (n int, d date, ts timestamp, f real, b boolean, u uuid, j jsonb, ip inet, iv interval, m money, x xml,
                                    bits bit(3), c "char", r int4range, a int[], o oid, q numeric(5,2), big bigint)""")
        columns = "n d ts f b u j ip iv m x bits c r a o q big".split()
        good = ["7", "2024-02-29", "2024-01-01 00:00:00", "1.5", "yes", "00112233-4455-6677-8899-aabbccddeeff", "{}", "10.0.0.0/8", "1 day",
                "$1.00", "<a/>", "101", "z", '"[1,5)"', '"{1,NULL}"', "17", "1.50", "9223372036854775807"]
        bad = {"n": "SECRET1", "d": "0000-00-00", "ts": "2024-02-30 00:00:00", "f": "1e99", "b": "SECRET", "u": "SECRET", "j": "{SECRET", "ip": "10.0.0.300",
               "iv": "SECRET", "m": "SECRET", "x": "<SECRET>", "bits": "10", "r": '"[5,1)"', "a": '"{SECRET}"', "o": "-x", "q": "123456.1",
               "big": "99999999999999999999"}
        lines = [",".join(columns), ",".join(good)]
        for column, value in bad.items():
            lines.append(",".join(value if name == column else text for name, text in zip(columns, good)))
        types = "{" + ", ".join(f"{name}: utf8" for name in columns) + "}"
        result = self.run_json(self.load("\n".join(lines) + "\n", top=f"rejects: {{max: {len(bad)}}}", types=types)).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (1, len(bad)))
        said = self.reasons()
        self.assertIn('n: invalid input syntax for type integer: "..."', said)
        self.assertIn('d: date/time field value out of range: "..."', said)
        self.assertIn("q: numeric field overflow", said)
        for value in ("SECRET", "0000-00-00", "02-30", "300", "1e99", "999999"):
            self.assertNotIn(value, str(said))

    def test_text_that_is_none(self):
        self.sql("CREATE TABLE t (id int, name text)")
        (self.folder / "t.jsonl").write_text('{"id": 1, "name": "ok"}\n{"id": 2, "name": "nul\\u0000here"}\n')
        pipeline = self.pipeline("name: load\nrejects: {max: 1}\nnodes:\n  - use: files\n    with: {path: t.jsonl}\n  - use: json.decode\n    streams: {t: {}}\n"
                                 .replace("    streams: {t: {}}\n", "") + self.node())
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1)
        self.assertEqual(self.reasons(), ["name: holds a NUL character, which PostgreSQL can't store"])

    def test_what_a_trigger_says_is_not_repeated(self):
        self.sql("""CREATE TABLE t (id int, name text);
                    CREATE FUNCTION refuse_bob() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                      IF NEW.name = 'Bob' THEN RAISE EXCEPTION 'no % here', NEW.name; END IF;
                      IF NEW.name = 'Eve' THEN RAISE EXCEPTION 'no % here', NEW.name USING ERRCODE = 'check_violation'; END IF;
                      IF NEW.name = 'Mal' THEN RAISE EXCEPTION 'no % here', NEW.name USING ERRCODE = 'MY001'; END IF;
                      RETURN NEW; END $$;
                    CREATE TRIGGER no_bob BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse_bob()""")
        result = self.run_json(self.load("id,name\n1,Ann\n2,Bob\n3,Eve\n4,Mal\n5,Zoe\n", top="rejects: {max: 3}"))
        self.assertEqual(self.column("SELECT name FROM t ORDER BY 1"), ["Ann", "Zoe"])
        self.assertEqual(self.reasons(), ["refused by refuse_bob()"] * 3)
        self.assertNotIn("Bob", result.out + result.err)

    def test_rows_that_a_trigger_leaves_out_are_told(self):
        self.sql("""CREATE TABLE t (id int);
                    CREATE FUNCTION some_of() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                      IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;
                    CREATE TRIGGER some_of BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION some_of()""")
        result = self.run_json(self.load("id\n1\n2\n3\n"))
        self.assertIn("t: a trigger of the table left out or took elsewhere 1 of 3 rows", result.err)
        self.assertEqual(self.column("SELECT id FROM t ORDER BY id"), ["1", "3"])

    def test_deferrable_constraints_are_judged_row_by_row(self):
        self.sql("""CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
                    CREATE TABLE t (id int, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED, u int UNIQUE DEFERRABLE INITIALLY DEFERRED)""")
        self.run_json(self.load("id,p,u\n1,1,1\n2,77,2\n3,1,1\n4,,4\n", top="rejects: {max: 2}"))
        self.assertEqual(self.column("SELECT id FROM t ORDER BY 1"), ["1", "4"])
        self.assertEqual(self.reasons(), ['duplicate key value violates unique constraint "t_u_key"',
                                          'insert or update on table "t" violates foreign key constraint "t_p_fkey"'])

    def test_a_commit_that_fails_is_reported_and_leaves_nothing(self):
        self.sql("""CREATE TABLE t (id int);
                    CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                      SET CONSTRAINTS ALL DEFERRED; INSERT INTO checked VALUES (NEW.id); RETURN NULL; END $$;
                    CREATE TABLE allowed (id int PRIMARY KEY);
                    CREATE TABLE checked (id int REFERENCES allowed DEFERRABLE INITIALLY DEFERRED);
                    CREATE TRIGGER late AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION late()""")
        self.fails(self.load("id\n77\n"), 7, "violates foreign key constraint")
        self.fails(self.load("id\n77\n"), 7, "violates foreign key constraint")
        self.assertEqual(self.column("SELECT count(*) FROM t"), ["0"])
        self.sql("INSERT INTO allowed VALUES (77)")
        self.run_json(self.load("id\n77\n"))
        self.assertEqual(self.column("SELECT id FROM t"), ["77"])

    def test_columns_that_the_server_fills(self):
        self.sql("CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED, at date DEFAULT '2024-01-01')")
        self.run_json(self.load("v\n4\n5\n"))
        self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "4", "8", "2024-01-01"], ["2", "5", "10", "2024-01-01"]])
        self.fails(self.load("v,twice\n4,8\n"), 9, "twice: is a column that table t computes itself")

    def test_names_of_every_kind(self):
        self.sql('CREATE SCHEMA "o.d""d"; CREATE TABLE "o.d""d"."t.a""b" ("select" int, "ü x" text, "q""q" int)')
        self.addCleanup(self.sql, 'DROP SCHEMA "o.d""d" CASCADE')
        table = '"o.d""d"."t.a""b"'.replace('"', '\\"')
        self.run_json(self.load('select,ü x,"q""q"\n1,x,2\n', f', tables: {{t: "{table}"}}'))
        self.run_json(self.load('select,ü x,"q""q"\n3,x,4\n', f', write: replace, tables: {{t: "{table}"}}'))
        self.assertEqual(self.sql('SELECT * FROM "o.d""d"."t.a""b"'), [["3", "x", "4"]])

    def test_columns_that_changed_between_runs(self):
        self.run_json(self.load("id,v\n1,a\n"))
        self.sql("ALTER TABLE t DROP COLUMN v")
        self.fails(self.load("id,v\n2,b\n"), 9, "v")
        self.run_json(self.load("id,v\n2,b\n", top="on_schema_change: ignore"))
        self.sql("ALTER TABLE t ADD COLUMN v bytea")
        self.run_json(self.load("id,v\n3,c\n", top="on_schema_change: ignore"))
        self.sql("ALTER TABLE t ALTER COLUMN id TYPE date USING '2024-01-01'")
        self.fails(self.load("id\n3\n"), 6, 'invalid input syntax for type date: "..."')


class UpsertTest(PostgresCase):
    def test_rows_are_updated_by_key_and_the_last_one_counts(self):
        self.run_json(self.load("id,v\n1,a\n2,b\n", ", write: upsert, keys: [id]"))
        self.run_json(self.load("id,v\n2,c\n3,d\n3,e\n", ", write: upsert, keys: [id]"))
        self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "a"], ["2", "c"], ["3", "e"]])
        self.assertEqual(self.column("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisprimary"), ["1"])

    def test_without_a_unique_index(self):
        self.sql("CREATE TABLE t (id bigint, v text CHECK (v <> 'bad')); INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, 'z')")
        result = self.run_json(self.load("id,v\n1,a\n5,bad\n4,c\n", ", write: upsert, keys: [id]", "rejects: {max: 1}")).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (2, 1))
        self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "a"], ["1", "a"], ["2", "z"], ["4", "c"]])

    def test_a_partial_unique_index_does_not_count(self):
        self.sql("CREATE TABLE t (id bigint, v text); CREATE UNIQUE INDEX ON t (id) WHERE v = 'live'; INSERT INTO t VALUES (1, 'live'), (1, 'dead')")
        self.run_json(self.load("id,v\n1,dead\n2,live\n", ", write: upsert, keys: [id]"))
        self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "dead"], ["1", "dead"], ["2", "live"]])

    def test_a_null_key_is_refused_whatever_the_table(self):
        for table in ("CREATE TABLE t (id bigint UNIQUE, k text, v text)", "CREATE TABLE t (id bigint, k text, v text, UNIQUE (id, k))", "CREATE TABLE t (id bigint, k text, v text)"):
            with self.subTest(table):
                self.sql("DROP TABLE IF EXISTS t; " + table)
                keys = "[id, k]" if "id, k" in table else "[id]"
                self.run_json(self.load("id,k,v\n1,x,a\n,x,b\n", f", write: upsert, keys: {keys}", "rejects: {max: 1}"))
                self.assertEqual(self.sql("SELECT id, v FROM t"), [["1", "a"]])
                self.assertEqual(self.reasons()[-1], "id: is null, and a key needs a value")

    def test_other_constraints_refuse_single_rows(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, n int NOT NULL); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)")
        self.run_json(self.load("id,mail,n\n1,a,5\n2,a,6\n3,c,\n4,d,7\n", ", write: upsert, keys: [id]", "rejects: {max: 2}"))
        self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "a", "5"], ["2", "b", "2"], ["4", "d", "7"]])
        self.assertEqual(self.reasons(), ['duplicate key value violates unique constraint "t_mail_key"',
                                          'n: null value in column "n" of relation "t" violates not-null constraint'])

    def test_only_keys_and_other_columns_stay(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'new', kept text); INSERT INTO t VALUES (1, 'old', 'mine')")
        self.run_json(self.load("id\n1\n2\n", ", write: upsert, keys: [id]"))
        self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "old", "mine"], ["2", "new", None]])

    def test_keys_that_the_stream_lacks(self):
        self.fails(self.load("id\n1\n", ", write: upsert, keys: [nosuch]"), 3, "has no field nosuch")

    def test_rerunning_changes_nothing(self):
        text = "id,v\n" + "".join(f"{i},{i}\n" for i in range(3000))
        for _ in range(2):
            self.run_json(self.load(text, ", write: upsert, keys: [id]", "commit: {rows: 700}"))
            self.assertEqual(self.sql("SELECT count(*), sum(id) FROM t"), [["3000", "4498500"]])


if __name__ == "__main__":
    main()
