"""Ways around the promises that somebody found from outside: each line of an operator's day that doubled or lost rows."""

import json
import os
import shutil
import subprocess

from harness import BUILD, main
from promises_case import QUICK, PromisesTest

NEW = '  - {use: files, id: src, with: {path: "in/*.csv", stream: rows, select: new}}\n  - {use: csv.decode, id: csv}\n'
OUT = "  - {use: sqlite, id: out, with: {path: out.db}}\n"


class CrashesTest(PromisesTest):
    def test_what_one_sink_lost_after_all_had_committed_is_not_doubled_in_another(self):
        for lost in ("one.db", "other.db"):
            with self.subTest(lost):
                for name in ("one.db", "other.db", "in", "state"):
                    path = self.folder / name
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                self.csv("in/a.csv", [1, 2])
                pipeline = self.write(NEW + "  - {use: sqlite, id: one, from: csv, with: {path: one.db}}\n"
                                      "  - {use: sqlite, id: other, from: csv, with: {path: other.db}}\n")
                self.crash(pipeline, "state.committed.before")
                (self.folder / lost).unlink()
                kept = "other.db" if lost == "one.db" else "one.db"
                self.refused(7, ["has the same rows", "--again", "--without"], "run", pipeline)
                self.assertEqual(self.ids(database=kept), [1, 2])

    def test_a_renamed_pipeline_is_known_by_what_it_has_on_record_too(self):
        for step in ("state.record.after", "sqlite.commit.after"):
            with self.subTest(step):
                for name in ("out.db", "in", "state"):
                    path = self.folder / name
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                self.csv("in/a.csv", [1])
                self.crash(self.write(NEW + OUT), step)
                self.refused(3, ["the pipeline p has one of the same source", "state move p q"], "run", self.write(NEW + OUT, name="q"))
                self.run_json(self.write(NEW + OUT))
                self.assertEqual(self.ids(), [1])

    def test_splits_side_by_side_on_a_fresh_state(self):
        ids = list(range(1, 9))
        for i in ids:
            self.csv(f"in/{i}.csv", [i])
        pipeline = self.write(NEW + OUT)
        plan = self.patchbay("plan", pipeline, "--output", "json").json
        runs = []
        for number, split in enumerate(plan["splits"]):
            file = self.folder / f"{number}.json"
            file.write_text(json.dumps({**plan, "splits": [split]}))
            runs.append(subprocess.Popen([BUILD / "patchbay", "--state-dir", self.folder / "state", "run", pipeline, "--split", file],
                                         cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        for run in runs:
            said, _ = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, said)
        self.assertEqual(self.ids(), ids)


class AcceptedTest(PromisesTest):
    def test_an_acceptance_is_for_the_next_run(self):
        self.csv("in/a.csv", [1])
        pipeline = self.write(NEW + OUT)
        self.run_json(pipeline)
        self.assertEqual(self.patchbay("state", "accept", "p").code, 0)
        self.run_json(pipeline)  # has nothing to commit
        self.csv("in/b.csv", [2])
        self.refused(3, ["path of out was", "state accept"], "run", self.write(NEW + OUT.replace("out.db", "elsewhere.db")))
        self.run_json(self.write(NEW + OUT))
        self.assertEqual(self.ids(), [1, 2])

    def test_the_old_name_of_a_pipeline_begins_nothing(self):
        self.csv("in/a.csv", [1])
        old, new = self.write(NEW + OUT), self.write(NEW + OUT, name="q")
        self.run_json(old)
        self.assertEqual(self.patchbay("state", "move", "p", "q").code, 0)
        self.run_json(new)
        self.refused(3, "the pipeline q has one of the same source", "run", old)
        self.assertEqual(self.ids(), [1])

    def test_a_stream_of_files_that_is_renamed_is_not_left_out(self):
        self.csv("in/a.csv", [1])
        self.run_json(self.write(NEW + OUT))
        renamed = self.write(NEW.replace("stream: rows", "stream: lines") + OUT)
        self.refused(3, ["node src has read the same objects as stream rows", "state reset"], "run", renamed)
        self.run_json(renamed, "--full-refresh")
        self.assertEqual(self.ids("lines"), [1])


class SharedTableTest(PromisesTest):
    def test_a_table_that_one_node_replaces_is_no_other_nodes(self):
        self.csv("a/1.csv", [1, 2])
        self.csv("b/1.csv", [3])
        source = "  - {{use: files, id: {0}, from: [], with: {{path: '{0}/*.csv', stream: rows, select: {1}}}}}\n  - {{use: csv.decode, id: rows_{0}}}\n"
        for write, other in (("write: replace", ""), ("write: replace", ", write: upsert, keys: [id]"), ("write: mirror, keys: [id]", "")):
            with self.subTest(write, other=other):
                pipeline = self.write(source.format("a", "all") + f"  - {{use: sqlite, id: one, with: {{path: out.db, {write}}}}}\n"
                                      + source.format("b", "new") + f"  - {{use: sqlite, id: two, with: {{path: out.db{other}}}}}\n")
                self.refused(3, ["one has", "for the table rows, which two writes as well"], "run", pipeline)
                self.assertEqual(self.ids(), [])


class PartsTest(PromisesTest):
    def test_only_is_no_way_to_replace_a_table_by_a_part(self):
        nodes = "".join(f"  - {{use: files, id: f{s}, {'' if s == 'a' else 'from: [], '}with: {{path: {s}.csv, stream: {s}}}}}\n"
                        f"  - {{use: csv.decode, id: c{s}}}\n" for s in "ab")
        pipeline = self.write(nodes + "  - {use: sqlite, from: [ca, cb], with: {path: out.db, write: replace, tables: {a: x, b: x}}}\n")
        self.csv("a.csv", [1])
        self.csv("b.csv", [2, 3])
        self.run_json(pipeline)
        self.refused(2, "makes b and others the whole content of one table", "run", pipeline, "--only", "a")
        self.run_json(pipeline, "--only", "a", "--only", "b")
        self.assertEqual(self.ids("x"), [1, 2, 3])

    def test_a_source_without_a_byte_is_not_taken_for_no_change(self):
        for write in ("replace", "replace, empty: allow", "mirror, keys: [id]"):
            with self.subTest(write):
                (self.folder / "out.db").unlink(missing_ok=True)
                pipeline = self.write("  - {use: files, id: src, with: {path: a.jsonl, stream: s}}\n  - use: json.decode\n"
                                      f"  - {{use: sqlite, id: out, with: {{path: out.db, write: {write}}}}}\n")
                (self.folder / "a.jsonl").write_text('{"id": 1}\n')
                self.run_json(pipeline)
                (self.folder / "a.jsonl").write_text("")
                self.refused(7, "nothing came of stream s, neither rows nor columns", "run", pipeline)
                self.assertEqual(self.ids("s"), [1])

    def test_a_mirror_keeps_what_was_refused(self):
        pipeline = self.write("  - {use: files, id: src, with: {path: a.csv, stream: s}}\n"
                              "  - {use: csv.decode, with: {types: {id: int64, v: int64}}}\n"
                              "  - {use: sqlite, id: out, with: {path: out.db, write: mirror, keys: [id], deletes: {max: 5}}}\n",
                              top="rejects: {max: 5}")
        (self.folder / "a.csv").write_text("id,v\n1,1\n2,2\n3,3\n")
        self.run_json(pipeline)
        (self.folder / "a.csv").write_text("id,v\n1,1\n2,oops\n")
        self.run_json(pipeline)
        self.assertEqual(self.ids("s"), [1, 2, 3])
        (self.folder / "a.csv").write_text("id,v\n1,1\n2,2\n")
        self.run_json(pipeline)
        self.assertEqual(self.ids("s"), [1, 2])


class PlacesTest(PromisesTest):
    def test_a_table_under_another_name_of_it(self):
        self.shop(1, 2)
        os.link(self.folder / "shop.db", self.folder / "hard.db")
        os.symlink("shop.db", self.folder / "soft.db")
        for path, table in (("shop.db", "ORDERS"), ("hard.db", "orders"), ("soft.db", "orders")):
            with self.subTest(path):
                pipeline = self.write("  - {use: sqlite, id: src, with: {path: shop.db, tables: {orders: orders}}}\n"
                                      f"  - {{use: sqlite, id: out, with: {{path: {path}, tables: {{orders: {table}}}}}}}\n")
                self.refused(3, "out writes what src reads", "run", pipeline)
        self.assertEqual(self.ids("orders", "shop.db"), [1, 2])

    def test_a_file_under_another_name_of_it(self):
        (self.folder / "d").mkdir()
        os.symlink("..", self.folder / "d/up")
        for path in ("a.csv", "./a.csv", "d/../a.csv", "d/up/a.csv", "{key}"):
            with self.subTest(path):
                self.csv("a.csv", [1])
                pipeline = self.write("  - {use: files, id: src, with: {path: a.csv}}\n  - use: csv.decode\n  - {use: fields, with: {set: {x: '1'}}}\n"
                                      f"  - {{use: csv.encode, id: e}}\n  - {{use: files, id: out, with: {{path: \"{path}\"}}}}\n")
                self.assertEqual(self.patchbay("run", pipeline).code, 3)
                self.assertEqual((self.folder / "a.csv").read_text(), "id\n1\n")

    def test_what_is_moved_afterwards_takes_no_place_of_the_sink(self):
        self.csv("in/a.csv", [1])
        pipeline = self.write('  - {use: files, id: src, with: {path: "in/*.csv", stream: s, select: new, on_commit: {move_to: "out/{name}"}}}\n'
                              "  - use: csv.decode\n  - {use: fields, with: {set: {x: '1'}}}\n  - {use: csv.encode, id: e, with: {key: a.csv}}\n"
                              '  - {use: files, id: out, with: {path: "out/{key}", if_exists: fail}}\n', top=QUICK)
        self.refused(3, ["out/a.csv", "give one of them another place"], "run", pipeline)
        self.assertTrue((self.folder / "in/a.csv").exists())
        self.assertFalse((self.folder / "out/a.csv").exists())


if __name__ == "__main__":
    main()
