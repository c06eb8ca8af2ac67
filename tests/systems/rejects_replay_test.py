"""Rejects go through the pipeline again, from the node that refused them, once."""

import json

from harness import main
from promises_case import PromisesTest

TYPED = "{types: {id: int64, v: utf8}}"
LOOSE = "{types: {id: utf8, v: utf8}}"


class ReplayTest(PromisesTest):
    def csv_pipeline(self, decode=TYPED, sink="path: out.db", top="rejects: {max: 50}", more=""):
        return self.write(f"  - {{use: files, id: src, with: {{path: 'in/*', stream: rows, select: new}}}}\n"
                          f"  - {{use: csv.decode, id: csv, with: {decode}}}\n{more}  - {{use: sqlite, id: out, with: {{{sink}}}}}\n", top)

    def file(self, name, text, encoding="utf-8"):
        file = self.folder / "in" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode(encoding))

    def listed(self):
        return self.patchbay("rejects", "list", "p", "--output", "json").json

    def replay(self, *arguments, code=0):
        result = self.patchbay("rejects", "replay", self.folder / "p.yaml", "--output", "json", *arguments)
        self.assertEqual(result.code, code, result)
        return result

    def counts(self, result):
        return {key: sum(stream["rows_" + key] for stream in result.json["streams"]) for key in ("read", "written", "rejected", "dropped")}

    def table(self, table="rows"):
        return self.rows(f"SELECT * FROM {table} ORDER BY id")

    def test_records_of_files_are_read_again_and_counted(self):
        self.file("a.csv", "id,v\n1,a\nx,\"b\nb\"\n3\n")
        self.file("b.csv", "v;id\nc;y\nd;4\n")
        first = self.run_json(self.csv_pipeline())
        self.assertEqual(self.counts(first), {"read": 5, "written": 2, "rejected": 3, "dropped": 0})
        self.csv_pipeline(LOOSE)
        again = self.replay()
        self.assertEqual(self.counts(again), {"read": 3, "written": 2, "rejected": 1, "dropped": 0})
        self.assertEqual(self.table(), [(1, "a"), (4, "d"), ("x", "b\nb"), ("y", "c")])
        (left,) = self.listed()
        self.assertEqual((left["run"], left["node"], left["code"]), (again.json["run"], "csv", "columns"))
        self.assertEqual(self.counts(self.run_json(str(self.folder / "p.yaml")))["read"], 0)

    def test_texts_of_other_encodings_come_back_as_they_were(self):
        for encoding in ("windows-1252", "utf-16"):
            with self.subTest(encoding):
                self.patchbay("state", "reset", "p")
                self.file("a.csv", "id,v\n1,ä\nx,ß\n", encoding)
                with_encoding = lambda decode: decode.replace("{types", f"{{encoding: {encoding}, types")
                self.run_json(self.csv_pipeline(with_encoding(TYPED)))
                self.csv_pipeline(with_encoding(LOOSE))
                self.replay()
                self.assertEqual(self.rows("SELECT id, v FROM rows ORDER BY id"), [(1, "ä"), ("x", "ß")])
                self.database("out.db", "DELETE FROM rows")

    def test_bytes_that_were_no_text_are_read_by_the_right_encoding(self):
        self.file("a.csv", "id,v\n1,a\n2,ß\n", "windows-1252")
        self.run_json(self.csv_pipeline())
        self.csv_pipeline(TYPED.replace("{types", "{encoding: windows-1252, types"))
        self.replay()
        self.assertEqual(self.table(), [(1, "a"), (2, "ß")])

    def test_json_records_come_back_wherever_they_stood(self):
        documents = {"lines": '{"id": 1}\n{"id": "x"}\n{"id": {"a": 1.50}}\n{"id"\n{"id": 2}\n', "array": '[{"id": 1}, {"id": "x"}, {"id": {"a": 1.50}}, {"id": 2}]',
                     "document": '{"a b": [7, {"c": [{"id": 1}, {"id": "x"}, {"id": {"a": 1.50}}, {"id": 2}]}]}'}
        for number, (form, text) in enumerate(documents.items()):
            with self.subTest(form):
                self.patchbay("state", "reset", "p")
                self.patchbay("rejects", "clear", "p")
                self.file("a.json", text)
                at = ", records: '/a b/1/c'" if form == "document" else ""
                pipeline = lambda type: self.write(
                    "  - {use: files, id: src, with: {path: 'in/*.json', stream: rows, select: new}}\n"
                    f"  - {{use: json.decode, id: json, with: {{format: {form}{at}, schema: {{id: {type}}}}}}}\n"
                    f"  - {{use: sqlite, id: out, with: {{path: '{number}.db'}}}}\n", "rejects: {max: 50}")
                self.assertEqual(self.counts(self.run_json(pipeline("int64")))["written"], 2)
                pipeline("json")
                self.assertEqual(self.counts(self.replay())["written"], 2)
                self.assertEqual({str(row[0]) for row in self.rows("SELECT id FROM rows", f"{number}.db")}, {"1", "2", '"x"', '{"a": 1.50}'})
                self.assertEqual([one["code"] for one in self.listed()], ["syntax"] if form == "lines" else [])

    def test_rows_go_on_from_the_transform_that_refused_them(self):
        self.file("a.csv", "id,v\n1,7\n2,x\n3,9\n")
        fields = lambda cast: "  - {use: fields, id: shape, with: {split: {v: {into: [w], by: ','}}, set: {k: 5}%s}}\n" % cast
        self.run_json(self.csv_pipeline(LOOSE, more=fields(", cast: {w: int64}")))
        self.csv_pipeline(LOOSE, more=fields(""))
        self.assertEqual(self.counts(self.replay()), {"read": 1, "written": 1, "rejected": 0, "dropped": 0})
        self.assertEqual(self.rows("SELECT id, v, w, k FROM rows ORDER BY id")[1], ("2", "x", "x", 5))

    def test_rows_of_a_sink_come_with_their_types(self):
        self.file("a.csv", "id,v,big,at\n1,,0.1,2026-01-01\n9007199254740993,b,1e300,2026-01-02\n")
        self.database("out.db", "CREATE TABLE rows (id INTEGER, v TEXT, big REAL)")
        decode = "{types: {id: int64, v: utf8, big: float64, at: date32}}"
        self.run_json(self.csv_pipeline(decode, top="rejects: {max: 50}\non_schema_change: reject"))
        self.assertEqual(len(self.listed()), 2)
        self.csv_pipeline(decode, top="on_schema_change: evolve")
        self.replay()
        self.assertEqual(self.table(), [(1, None, 0.1, "2026-01-01"), (9007199254740993, "b", 1e300, "2026-01-02")])
        self.assertEqual(self.listed(), [])

    def test_rows_that_a_constraint_refused_go_into_their_table(self):
        self.file("a.csv", "id,v,at,big\n1,a,2026-01-01,0.1\n2,bad,2026-01-02,1e300\n")
        columns = "id INTEGER, v TEXT{}, at TEXT, big REAL"
        self.database("out.db", f"CREATE TABLE rows ({columns.format(' CHECK (v <> ' + chr(39) + 'bad' + chr(39) + ')')})")
        self.run_json(self.csv_pipeline("{types: {id: int64, v: utf8, at: date32, big: float64}}", top="rejects: {max: 50}"))
        self.assertEqual(len(self.listed()), 1)
        self.database("out.db", "ALTER TABLE rows RENAME TO old", f"CREATE TABLE rows ({columns.format('')})", "INSERT INTO rows SELECT * FROM old", "DROP TABLE old")
        self.replay()
        self.assertEqual(self.table(), [(1, "a", "2026-01-01", 0.1), (2, "bad", "2026-01-02", 1e300)])
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name = 'rejects'"), [])

    def test_a_crash_at_any_step_neither_loses_nor_doubles(self):
        text = "id,v\n" + "".join(f"x{i},v\n" for i in range(30))
        for step in ("state.record.before", "state.record.after", "sqlite.commit.after", "state.committed.before", "state.committed.after"):
            with self.subTest(step):
                (self.folder / "out.db").unlink(missing_ok=True)
                self.patchbay("state", "reset", "p")
                self.patchbay("rejects", "clear", "p")
                self.file("a.csv", text)
                self.run_json(self.csv_pipeline())
                pipeline = self.csv_pipeline(LOOSE)
                crashed = self.patchbay("rejects", "replay", pipeline, env={"PATCHBAY_FAULT": f"{step}:1"})
                self.assertEqual(crashed.code, -9, crashed)
                if step != "state.committed.after":
                    self.refused(3, "did not come to its end; run it first", "rejects", "replay", pipeline)
                self.run_json(pipeline)
                self.replay()
                self.assertEqual(len(self.table()), 30)
                self.assertEqual(len(set(self.table())), 30)
                self.assertEqual(self.listed(), [])

    def test_rejects_of_an_epoch_that_failed_are_read_by_the_next_run_alone(self):
        self.file("a.csv", "id,v\n1,a\nx,b\n")
        self.assertEqual(self.patchbay("run", self.csv_pipeline(top="")).code, 6)
        self.assertEqual([one["committed"] for one in self.listed()], [False])
        self.assertEqual(self.replay().json["streams"], [])
        self.run_json(self.csv_pipeline(LOOSE))
        self.assertEqual(len(self.table()), 2)

    def test_what_could_not_be_right_is_refused(self):
        self.file("a.csv", "id,v\n1,a\nx,b\n")
        self.run_json(self.csv_pipeline())
        keys = "path: out.db, write: upsert, keys: [id]"
        all_of_it = lambda: (self.folder / "p.yaml").write_text((self.folder / "p.yaml").read_text().replace("select: new", "select: all"))
        for sink, words in (("path: out.db, write: replace", "out has write: replace, and would be left with the rejects alone"),
                            (keys, "out goes by keys, and a row that was refused may be older than the one that its key has by now; say --overwrite")):
            self.csv_pipeline(LOOSE, sink)
            all_of_it()
            self.refused(3, words, "rejects", "replay", self.folder / "p.yaml")
        fixed = self.csv_pipeline(LOOSE, more="  - {use: csv.encode, id: enc}\n", sink="path: x").replace("out.db", "x")
        text = (self.folder / "p.yaml").read_text().replace("{use: sqlite, id: out, with: {path: x}}", "{use: files, id: out, with: {path: out.csv}}")
        (self.folder / "p.yaml").write_text(text)
        all_of_it()
        self.refused(3, "out writes out.csv anew in each run", "rejects", "replay", fixed)
        self.assertEqual(len(self.listed()), 1)
        self.csv_pipeline(LOOSE, keys)
        self.replay("--overwrite")
        self.assertEqual(self.listed(), [])

    def test_rejects_of_sources_are_read_by_the_source(self):
        self.database("shop.db", "CREATE TABLE orders (id INTEGER, n INTEGER)", "INSERT INTO orders VALUES (1, 1), (2, 'x')")
        pipeline = self.write("  - {use: sqlite, id: src, with: {path: shop.db}}\n  - {use: sqlite, id: out, with: {path: out.db}}\n", "rejects: {max: 5}")
        self.run_json(pipeline)
        self.refused(3, "src is a source: it reads what it refused only when it reads again", "rejects", "replay", pipeline)

    def test_several_nodes_are_told_apart(self):
        self.file("a.csv", "id,v\n1,7\nx,8\n3,y\n")
        more = "  - {use: fields, id: shape, with: {cast: {v: int64}}}\n"
        self.run_json(self.csv_pipeline(more=more))
        self.csv_pipeline(LOOSE)
        self.refused(2, "there are rejects of csv (1), shape (1); say which with --node", "rejects", "replay", self.folder / "p.yaml")
        self.refused(2, "there are rejects of csv (1), shape (1)", "rejects", "replay", self.folder / "p.yaml", "--node", "out")
        self.replay("--node", "csv")
        self.refused(2, "p has no node shape any more", "rejects", "replay", self.folder / "p.yaml", "--node", "shape")
        self.csv_pipeline(LOOSE, more="  - {use: fields, id: shape, with: {set: {v: 1}}}\n")
        self.replay()
        self.assertEqual(self.listed(), [])

    def test_replays_can_be_narrowed_to_a_run_and_are_runs_themselves(self):
        runs = []
        for name in "ab":
            self.file(f"{name}.csv", f"id,v\n{name},1\n1,2\n")
            runs.append(self.run_json(self.csv_pipeline()).json["run"])
        self.csv_pipeline(LOOSE)
        replayed = self.replay("--run", runs[1])
        self.assertEqual([one["run"] for one in self.listed()], [runs[0]])
        self.assertEqual(json.loads(self.patchbay("runs", "show").out)["run"], replayed.json["run"])


if __name__ == "__main__":
    main()
