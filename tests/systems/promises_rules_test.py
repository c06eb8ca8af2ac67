"""What no run could do right is refused before any, with its place; what is promised is kept."""

import json

from harness import main
from promises_case import QUICK, PromisesTest

CURSOR = "  - {use: sqlite, id: src, with: {path: shop.db, cursor: id}}\n"
TABLE = "  - {use: sqlite, id: src, with: {path: shop.db}}\n"
NEW = "  - {use: files, id: src, with: {path: 'in/*.csv', stream: orders, select: new}}\n  - {use: csv.decode, id: rows}\n"
SQL = "  - {use: sql, id: sums, with: {query: 'SELECT count(*) AS n FROM src', stream: sums}}\n"
OUT = "  - {use: sqlite, id: out, with: {path: out.db}}\n"


class RulesTest(PromisesTest):
    # What is in the file, the line that is named, and what is said.
    REFUSED = [
        ("new rows replace a table", CURSOR + "  - {use: sqlite, id: out, with: {path: out.db, write: replace}}\n", 5,
         ["out replaces its table with the rows of src, which returns only what is new (cursor: id)", "leave out cursor, or set write: append or upsert"]),
        ("new files replace a table", NEW + "  - {use: sqlite, id: out, with: {path: out.db, write: replace}}\n", 6, ["(select: new)", "set select: all"]),
        ("append beside replace", CURSOR + "  - {use: sqlite, id: all, from: src, with: {path: a.db, write: replace}}\n"
         "  - {use: sqlite, id: log, from: src, with: {path: b.db}}\n", 6, ["log gets only what is new of src, and all beside it"]),
        ("upsert beside replace", CURSOR + "  - {use: sqlite, id: all, from: src, with: {path: a.db, write: replace}}\n"
         "  - {use: sqlite, id: log, from: src, with: {path: b.db, write: upsert, keys: [id]}}\n", 6, ["log gets only what is new of src"]),
        ("aggregate over new rows", CURSOR + SQL + OUT, 5, ["sums joins or aggregates rows of src", "leave out cursor", "over: new"]),
        ("new rows into a fixed name", CURSOR + "  - use: csv.encode\n  - {use: files, id: out, with: {path: 'out/{stream}.csv'}}\n", 6,
         ["out writes out/{stream}.csv anew in each run", "put ${run.id} into path"]),
        ("new rows into a name that is kept", CURSOR + "  - use: csv.encode\n"
         "  - {use: files, id: out, with: {path: 'out/{stream}.csv', if_exists: skip}}\n", 6,
         ["out writes out/{stream}.csv anew in each run", "put ${run.id} into path"]),
        ("rows where files are taken", TABLE + "  - {use: files, id: out, with: {path: 'out/{key}'}}\n", 5,
         ["out takes files, and src returns rows", "put csv.encode, json.encode or parquet.encode between them"]),
        ("files where rows are taken", "  - {use: files, id: src, with: {path: a.csv}}\n" + OUT, 5,
         ["out takes rows, and src returns files", "put csv.decode, json.decode or parquet.decode between them"]),
        ("a table onto itself", "  - {use: sqlite, id: src, with: {path: shop.db, tables: {a: t}}}\n"
         "  - {use: sqlite, id: out, with: {path: ./shop.db, tables: {a: t}}}\n", 5, ["out writes what src reads (t)"]),
        ("every table onto itself", TABLE + "  - {use: sqlite, id: out, with: {path: shop.db}}\n", 5, ["(the same tables)"]),
        ("a file onto itself", "  - {use: files, id: src, with: {path: 'in/*'}}\n  - {use: files, id: out, with: {path: 'in/{key}'}}\n", 5,
         ["out writes in/{key}, which src reads"]),
    ]
    ALLOWED = [
        ("new rows are appended", CURSOR + OUT), ("new rows go by keys", CURSOR + "  - {use: sqlite, with: {path: o.db, write: upsert, keys: [id]}}\n"),
        ("all rows replace", TABLE + "  - {use: sqlite, with: {path: o.db, write: replace}}\n"),
        ("the newest file replaces", NEW.replace("new", "newest") + "  - {use: sqlite, with: {path: o.db, write: replace}}\n"),
        ("a query that says so", CURSOR + SQL.replace("with: {", "with: {over: new, ") + OUT),
        ("a name that differs", CURSOR + "  - use: csv.encode\n  - {use: files, with: {path: 'out/${run.id}.csv'}}\n"),
        ("a key that differs", CURSOR + "  - {use: csv.encode, with: {key: '${run.id}.csv'}}\n  - {use: files, with: {path: 'out/{key}'}}\n"),
        ("a name that must be free", CURSOR + "  - use: csv.encode\n  - {use: files, with: {path: out.csv, if_exists: fail}}\n"),
        ("objects as they are", "  - {use: files, id: from, with: {path: 'in/*', select: new}}\n  - {use: files, id: to, with: {path: 'out/{key}'}}\n"),
        ("another table of the database", "  - {use: sqlite, id: src, with: {path: shop.db, tables: {a: t}}}\n"
         "  - {use: sqlite, id: out, with: {path: shop.db, tables: {a: u}}}\n"),
    ]

    def test_what_is_refused_is_named_with_its_place_and_what_to_write(self):
        for note, nodes, line, words in self.REFUSED:
            with self.subTest(note):
                pipeline = self.write(nodes)
                for verb in ("validate", "run", "plan"):
                    self.refused(3, [f"{pipeline}:{line}:5: node "] + words, verb, pipeline)

    def test_what_can_be_right_is_not_refused(self):
        for note, nodes in self.ALLOWED:
            with self.subTest(note):
                valid = self.patchbay("validate", self.write(nodes))
                self.assertEqual(valid.code, 0, valid)

    def test_what_limits_the_guarantee_is_refused_where_it_is_required(self):
        pipeline = self.write(TABLE + OUT, "require: exactly_once")
        self.refused(3, ["p.yaml:2:1: require: exactly_once can't be kept; out: appends all of src in each run"], "validate", pipeline)
        for nodes in (CURSOR + OUT, NEW + OUT, TABLE + "  - {use: sqlite, with: {path: o.db, write: replace}}\n"):
            self.assertEqual(self.patchbay("validate", self.write(nodes, "require: exactly_once")).code, 0)

    def test_a_limit_is_exact_or_refused(self):
        self.csv("a.csv", range(5000))
        plain = self.write("  - {use: files, with: {path: a.csv}}\n  - use: csv.decode\n" + OUT)
        self.assertEqual(self.run_json(plain, "--limit", "7").stream["rows_written"], 7)
        self.assertEqual(self.ids("a"), list(range(7)))
        packed = self.patchbay("copy", "a.csv", "a.jsonl.gz")
        self.assertEqual(packed.code, 0, packed)
        self.assertEqual(self.patchbay("copy", "a.jsonl.gz", "b.jsonl", "--limit", "9").code, 0)
        self.assertEqual(len((self.folder / "b.jsonl").read_text().splitlines()), 9)
        self.refused(2, "--limit: files reads each object once and whole", "run", self.files(path="a.csv"), "--limit", "5")
        self.shop(1, 2)
        replaced = self.write(TABLE + "  - {use: sqlite, id: out, with: {path: o.db, write: replace}}\n")
        self.run_json(replaced)
        self.refused(2, "--limit: out has write: replace", "run", replaced, "--limit", "1")
        self.assertEqual(self.ids("orders", "o.db"), [1, 2])

    def test_the_later_file_wins_whatever_is_read_faster(self):
        self.csv("in/1.csv", [])
        (self.folder / "in/1.csv").write_text("id,v\n" + "".join(f"{i},x\n" for i in range(2, 20_000)) + "1,old\n")
        for number in range(2, 6):
            (self.folder / f"in/{number}.csv").write_text(f"id,v\n1,{number}\n")
        self.run_json(self.files("path: out.db, write: upsert, keys: [id]"))
        self.assertEqual(self.rows("SELECT v FROM rows WHERE id = 1"), [(5,)] if isinstance(self.rows("SELECT v FROM rows WHERE id = 1")[0][0], int) else [("5",)])

    def test_a_file_that_fails_holds_back_those_after_it(self):
        (self.folder / "in").mkdir()
        for name, text in (("1", "id,v\n1,a\n"), ("2", 'id,v\n1,"b\n'), ("3", "id,v\n1,c\n")):
            (self.folder / f"in/{name}.csv").write_text(text)
        pipeline = self.files("path: out.db, write: upsert, keys: [id]")
        self.refused(8, ["in/2.csv: line 2: a quote", f"files/{self.folder}/in/3.csv#9", f"is held back, since files/{self.folder}/in/2.csv#10"], "run", pipeline)
        self.assertEqual(self.rows("SELECT v FROM rows"), [("a",)])
        (self.folder / "in/2.csv").write_text("id,v\n1,b\n")
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT v FROM rows"), [("c",)])

    def test_rows_with_a_field_that_the_table_lacks_can_be_refused(self):
        self.database("out.db", "CREATE TABLE rows (id INTEGER)")
        self.csv("a.csv", [])
        (self.folder / "a.csv").write_text("id,extra\n1,\n2,x\n3,\n")
        pipeline = self.files(path="a.csv", top="on_schema_change: reject\nrejects: {max: 1}")
        result = self.run_json(pipeline)
        self.assertEqual((result.stream["rows_written"], result.stream["rows_rejected"]), (2, 1))
        self.assertEqual(result.stream["schema_changes"], [{"field": "extra", "type": "utf8", "action": "rejected"}])
        self.assertEqual(self.ids(), [1, 3])

    def test_plan_refuses_what_run_refuses(self):
        self.shop(1)
        self.database("out.db", "CREATE TABLE orders (id INTEGER)")
        pipeline = self.follow()
        for verb in ("plan", "run"):
            self.refused(9, "item: the table orders has no such column", verb, pipeline)

    def test_commit_rows_of_files_are_noted(self):
        self.csv("in/a.csv", [1, 2])
        self.assertIn("commit.rows: an object is read whole", self.run_json(self.files(top="commit: {rows: 1}")).err)


class BooksTest(PromisesTest):
    def test_reports_do_not_grow_with_what_was_read(self):
        for i in range(300):
            self.csv(f"in/{i:03}.csv", [i])
        pipeline = self.files()
        self.run_json(pipeline)
        idle = self.run_json(pipeline)
        self.assertLess(len(json.dumps(idle.json)), 1100)
        self.assertEqual(idle.stream["state_after"], {"done": 300})
        self.assertLess(len(self.patchbay("runs", "show").out), 1600)

    def test_a_row_that_another_file_brought_already_is_one_reject(self):
        self.database("out.db", "CREATE TABLE rows (id INTEGER PRIMARY KEY)")
        self.csv("in/a.csv", range(1, 20_001))
        self.csv("in/b.csv", range(20_000, 40_001))
        pipeline = self.files(top="rejects: {max: 1}")
        for read, rejected in ((40_001, 1), (0, 0)):
            result = self.run_json(pipeline).stream
            self.assertEqual((result["rows_read"], result["rows_written"], result["rows_rejected"]), (read, read - rejected, rejected))
            self.assertEqual(self.ids(), list(range(1, 40_001)))
            self.assertEqual([one["code"] for one in self.patchbay("rejects", "list", "p", "--output", "json").json], ["constraint"])

    def test_rejects_are_deleted_by_run_and_by_age(self):
        (self.folder / "in").mkdir()
        pipeline = self.write("  - {use: files, with: {path: 'in/*.csv', stream: rows, select: new}}\n"
                              "  - {use: csv.decode, with: {types: {id: int64}}}\n" + OUT, "rejects: {max: 5}")
        runs = []
        for name in "ab":
            (self.folder / f"in/{name}.csv").write_text("id\n1\nx\n")
            runs.append(self.run_json(pipeline).json["run"])
        listed = lambda: [one["run"] for one in self.patchbay("rejects", "list", "p", "--output", "json").json]
        self.assertEqual(listed(), runs)
        self.assertIn("0 rejects deleted", self.patchbay("rejects", "clear", "p", "--before", "1h").out)
        self.assertIn("1 reject deleted", self.patchbay("rejects", "clear", "p", "--run", runs[0]).out)
        self.assertEqual(listed(), runs[1:])
        self.refused(2, "write an age like 30d", "rejects", "clear", "p", "--before", "soon")
        self.assertIn("1 reject deleted", self.patchbay("rejects", "clear", "p", "--before", "2999-01-01").out)
        self.assertEqual(listed(), [])

    def test_runs_are_in_the_order_in_which_they_began(self):
        """Whatever the clock says: one run of the future, then a thousand."""
        self.shop(1)
        pipeline = self.follow()
        self.run_json(pipeline)
        self.database("state/pipelines/p.db", "INSERT INTO runs SELECT '7ZZZ' || i, environment, '2099-01-01T00:00:00Z', finished, outcome, exit_code, "
                      "report FROM runs, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n)")
        run = self.run_json(pipeline).json["run"]
        self.assertEqual(self.patchbay("runs", "list", "--output", "json").json[0]["run"], run)
        self.assertEqual(json.loads(self.patchbay("runs", "show").out)["run"], run)
        other = self.run_json(self.follow("path: other.db", name="q")).json["run"]
        self.assertEqual(self.patchbay("runs", "list", "--output", "json").json[0]["run"], other)


if __name__ == "__main__":
    main()
