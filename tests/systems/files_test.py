"""Files of CSV and JSON, in and out."""

import csv
import json
import sqlite3

from harness import SystemTest, main


class FilesTest(SystemTest):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self, name, decode, top="", more=""):
        return self.pipeline(f"""
name: load
{top}
nodes:
  - use: files
    with: {{path: "{name}", stream: t{more}}}
  - use: {decode}
  - use: sqlite
    with: {{path: out.db}}
""")

    def test_a_pattern_that_matches_nothing_is_an_error_unless_only_what_is_new_is_read(self):
        self.write("in/a.csv", "id\n1\n")
        for more, code in (("", 7), (", select: new", 0), (", select: newest", 0)):
            result = self.patchbay("run", self.load("in/*.cvs", "csv.decode", more=more))
            self.assertEqual((result.code, "path: in/*.cvs: no file matches" in str(result)), (code, code == 7), result)
        self.assertEqual(self.patchbay("run", self.load("in/*.csv", "csv.decode")).code, 0)

    def test_csv_as_rfc_4180_has_it(self):
        self.write("a.csv", '\ufeffid,text,amount,code,day\r\n1,"a ""quoted"" word",1.5,007,2026-01-31\r\n'
                            '2,"two\nlines",,010,\r\n3,"",-2e3,011,2026-02-01')
        self.run_json(self.load("a.csv", "csv.decode"))
        self.assertEqual(self.rows("SELECT * FROM t"),
                         [(1, 'a "quoted" word', 1.5, "007", "2026-01-31"), (2, "two\nlines", None, "010", None),
                          (3, "", -2000.0, "011", "2026-02-01")])

    def test_csv_rows_that_do_not_fit_are_refused_with_file_and_line(self):
        self.write("a.csv", "id,n\n1,1\n2\n3,x\n4,4\n")
        pipeline = self.load("a.csv", "csv.decode\n    with: {types: {n: int64}}", "rejects: {max: 2}")
        result = self.run_json(pipeline).stream
        self.assertEqual((result["rows_read"], result["rows_written"], result["rows_rejected"]), (4, 2, 2))
        rejects = self.patchbay("rejects", "list", "load", "--output", "json").json
        self.assertEqual([(r["reason"], r["position"]) for r in rejects],
                         [("1 fields where there are 2 columns", {"file": "a.csv", "line": 3, "column": "n"}),
                          ("n: expected int64, found other text", {"file": "a.csv", "line": 4, "column": "n"})])

    def test_an_open_quote_fails_the_file_and_commits_nothing_of_it(self):
        self.write("a.csv", 'id,text\n1,"never closed\n2,x\n')
        result = self.run_json(self.load("a.csv", "csv.decode"), code=7)
        self.assertIn("a.csv: line 2: a quote in the record that begins here is never closed", result.stream["error"]["message"])

    def test_new_files_are_read_once(self):
        self.write("in/a.csv", "id\n1\n")
        pipeline = self.load("in/*.csv", "csv.decode", more=", select: new")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1)
        self.write("in/b.csv", "id\n2\n")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1)
        self.assertEqual(self.rows("SELECT id FROM t ORDER BY id"), [(1,), (2,)])
        self.assertEqual(self.run_json(pipeline).json["outcome"], "ok")

    def test_a_replaced_table_has_just_what_is_there(self):
        self.write("in/a.csv", "id\n1\n")
        text = """
name: load
nodes:
  - {use: files, with: {path: "in/*.csv", stream: t, select: SELECT}}
  - use: csv.decode
  - {use: sqlite, with: {path: out.db, write: replace}}
"""
        refused = self.patchbay("run", self.pipeline(text.replace("SELECT", "new")))
        self.assertEqual(refused.code, 3, refused)
        self.assertIn("pipeline.yaml:6:5: node sqlite replaces its table with the rows of files", refused.err)
        self.assertIn("set select: all", refused.err)
        pipeline = self.pipeline(text.replace("SELECT", "all"))
        self.run_json(pipeline)
        self.write("in/b.csv", "id\n2\n")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 2)
        self.assertEqual(self.rows("SELECT id FROM t ORDER BY id"), [(1,), (2,)])
        (self.folder / "in/a.csv").unlink()
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT id FROM t"), [(2,)])
        # The newest file is the whole: where it goes, the one before it is the newest again.
        pipeline = self.pipeline(text.replace("SELECT", "newest").replace("load", "newest"))
        self.write("in/c.csv", "id\n3\n")
        for expected, gone in ((3, "c"), (2, None)):
            self.run_json(pipeline)
            self.assertEqual(self.rows("SELECT id FROM t"), [(expected,)])
            if gone:
                (self.folder / f"in/{gone}.csv").unlink()

    def test_a_stream_that_each_run_appends_again_is_told(self):
        self.write("a.csv", "id\n1\n")
        pipeline = self.load("a.csv", "csv.decode")
        self.assertIn("appends it again", self.run_json(pipeline).stream["note"])
        self.assertIn("note: t: each run reads all of it and sqlite appends it again", self.patchbay("run", pipeline).out)
        self.assertNotIn("note", self.run_json(self.load("a.csv", "csv.decode", more=", select: new")).stream)

    def test_rows_that_a_table_refuses_hold_up_no_later_run(self):
        for name, table in (("unique", "id INTEGER PRIMARY KEY"), ("check", "id INT CHECK (id > 1)"), ("null", "id INT, more INT NOT NULL")):
            self.write("a.csv", "id\n1\n2\n")
            with sqlite3.connect(self.folder / "out.db") as database:
                database.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({table});")
                if name == "unique":
                    database.execute("INSERT INTO t VALUES (1)")
            pipeline = self.load("a.csv", "csv.decode")
            self.assertIn("constraint failed", self.run_json(pipeline, code=6).stream["error"]["message"])
            if name == "null":
                with sqlite3.connect(self.folder / "out.db") as database:
                    database.executescript("DROP TABLE t; CREATE TABLE t (id INT);")
            self.write("a.csv", "id\n2\n3\n")
            self.assertEqual(self.run_json(pipeline).stream["rows_written"], 2)
            self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name LIKE '%_l0a%'"), [])

    def test_prepared_rows_that_are_refused_hold_up_no_later_run(self):
        self.write("a.csv", "id\n1\n2\n")
        with sqlite3.connect(self.folder / "out.db") as database:
            database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        pipeline = self.load("a.csv", "csv.decode")
        self.environment["PATCHBAY_FAULT"] = "list"
        listed = self.patchbay("run", pipeline)
        steps = [line.split()[-1] for line in listed.err.splitlines() if "durable step" in line]
        with sqlite3.connect(self.folder / "out.db") as database:
            database.execute("DELETE FROM t")
        self.environment["PATCHBAY_FAULT"] = str(steps.index("sqlite.commit.before") + 1)
        self.assertEqual(self.patchbay("run", pipeline).code, -9)
        del self.environment["PATCHBAY_FAULT"]
        with sqlite3.connect(self.folder / "out.db") as database:
            database.execute("INSERT INTO t VALUES (1)")
        # Nothing of it is visible, so it never was: the rows are read again, and refused one by one.
        result = self.run_json(pipeline, code=6)
        self.assertIn("rows that an earlier run prepared are not committed, and are read again", result.err)
        self.assertEqual(self.rows("SELECT id FROM t"), [(1,)])
        self.write("a.csv", "id\n3\n")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1)
        self.assertEqual(self.rows("SELECT id FROM t"), [(1,), (3,)])
        self.assertIn("nothing is prepared", self.patchbay("state", "discard", pipeline).out)

    def test_one_bad_file_does_not_stop_the_others(self):
        self.write("in/a.csv", "id\n1\n")
        self.write("in/b.csv", 'id\n"\n')
        self.write("in/c.csv", "id\n3\n")
        result = self.run_json(self.load("in/*.csv", "csv.decode"), code=8)
        self.assertEqual(result.json["outcome"], "partial")
        self.assertEqual(self.rows("SELECT id FROM t ORDER BY id"), [(1,), (3,)])

    def test_the_first_file_settles_the_types_however_fast_the_others_are(self):
        self.write("in/a.csv", "id\n" + "1\n" * 100_000)
        for i in range(30):
            self.write(f"in/b{i:02}.csv", "id\n")
        self.run_json(self.load("in/*.csv", "csv.decode"))
        self.assertEqual(self.rows("SELECT typeof(id), count(*) FROM t GROUP BY 1"), [("integer", 100_000)])

    def test_json_lines_nested_and_exact(self):
        lines = [{"id": 9007199254740993, "who": {"name": "Ä", "tags": ["x"]}, "score": 1}, {"id": 2, "who": None, "score": 1.5}]
        self.write("a.json", "\n".join(json.dumps(line) for line in lines) + "\nnonsense\n")
        result = self.run_json(self.load("a.json", "json.decode", "rejects: {max: 1}")).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (2, 1))
        self.assertEqual(self.rows("SELECT * FROM t"),
                         [(9007199254740993, '{"name":"Ä","tags":["x"]}', 1.0), (2, None, 1.5)])

    def test_records_that_parsers_would_alter_are_exported_as_text(self):
        lines = ['{"id": 1, "t": "\\ud800"}', '{"id": 2, "t": "x", "t": "y"}', '{"id": 3, "t": 5}', '{"id": 4, "t": "z"}']
        self.write("a.json", "\n".join(lines))
        pipeline = self.load("a.json", 'json.decode\n    with: {schema: {id: int64, t: utf8}}', "rejects: {max: 3}")
        self.assertEqual(self.run_json(pipeline).stream["rows_rejected"], 3)
        exported = [json.loads(line) for line in self.patchbay("rejects", "export", pipeline).out.splitlines()]
        self.assertEqual([one["row"] for one in exported], [lines[0], lines[1], {"id": 3, "t": 5}])

    def test_json_documents_with_the_records_inside(self):
        self.write("a.json", json.dumps({"meta": {}, "result": {"rows": [{"a": 1}, {"a": 2}]}}))
        decode = "json.decode\n    with: {format: document, records: /result/rows}"
        self.assertEqual(self.run_json(self.load("a.json", decode)).stream["rows_written"], 2)
        self.write("a.json", '{"result": {"rows": [{"a": 1}, ')
        self.assertIn("a.json: is no JSON", self.run_json(self.load("a.json", decode), code=7).stream["error"]["message"])

    def test_out_again_as_csv_and_json(self):
        self.write("a.csv", 'id,text\n1,"a,""b""\nc"\n2,""\n3,\n')
        for encode, name in (("csv.encode", "t.csv"), ("json.encode", "t.json")):
            self.run_json(self.pipeline(f"""
nodes:
  - use: files
    with: {{path: a.csv, stream: t}}
  - use: csv.decode
  - {{id: encode, use: {encode}}}
  - {{id: out, use: files, with: {{path: "out/{{key}}"}}}}
"""))
            self.assertTrue((self.folder / "out" / name).exists())
        with open(self.folder / "out/t.csv", newline="", encoding="utf-8") as text:
            self.assertEqual(list(csv.reader(text)), [["id", "text"], ["1", 'a,"b"\nc'], ["2", ""], ["3", ""]])
        self.assertTrue((self.folder / "out/t.csv").read_text().endswith('2,""\n3,\n'))
        lines = (self.folder / "out/t.json").read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines],
                         [{"id": 1, "text": 'a,"b"\nc'}, {"id": 2, "text": ""}, {"id": 3, "text": None}])

    def test_a_large_file_in_bounded_memory(self):
        with open(self.folder / "big.csv", "w", encoding="utf-8") as out:
            out.write("id,text\n")
            for i in range(400_000):
                out.write(f"{i},some text that takes its place {i}\n")
        result = self.run_json(self.pipeline("""
nodes:
  - use: files
    with: {path: big.csv}
  - use: csv.decode
  - use: csv.encode
  - {id: out, use: files, with: {path: copy.csv}}
""".replace("use: csv.encode", "{id: encode, use: csv.encode}")))
        self.assertEqual(result.stream["rows_written"], 400_000)
        self.assertEqual((self.folder / "copy.csv").read_bytes(), (self.folder / "big.csv").read_bytes())

    def copies(self, source, target, code=0):
        pipeline = self.pipeline(f"""
nodes:
  - {{use: files, with: {{path: "{source}"}}}}
  - {{id: out, use: files, with: {{path: "{target}"}}}}
""")
        return self.run_json(pipeline, code=code)

    def test_two_files_never_become_one(self):
        self.write("in/a.csv", "1")
        self.write("in/b.csv", "2")
        result = self.copies("in/*.csv", "all.csv", code=8)
        self.assertIn(f"{self.folder}/all.csv: is written by ", str(result))
        self.assertIn("put {key} or {stream} into path", str(result))
        self.copies("in/{a,b}.csv", "out/{key}")
        self.assertEqual([(self.folder / "out/in" / name).read_text() for name in ("a.csv", "b.csv")], ["1", "2"])

    def test_a_dangling_link_does_not_hide_what_comes_after_it(self):
        (self.folder / "in").mkdir()
        (self.folder / "in/a.csv").symlink_to("nowhere")
        for name in ("b.csv", "c.csv", ".d.csv"):
            self.write(f"in/{name}", name)
        self.copies("in/**", "out/{key}")
        self.assertEqual(sorted(path.name for path in (self.folder / "out/in").iterdir()), ["b.csv", "c.csv"])


if __name__ == "__main__":
    main()
