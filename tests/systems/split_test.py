"""One pipeline in several runs: what `plan` lists, each `run --split` moves a part of."""

import fcntl
import json

from harness import SystemTest, main


class SplitTest(SystemTest):
    def setUp(self):
        super().setUp()
        (self.folder / "in").mkdir()
        for name, number in (("a", 1), ("b", 2), ("c", 3)):
            (self.folder / f"in/{name}.csv").write_text(f"id\n{number}\n")

    def load(self, write="append", select="new", top=""):
        return self.pipeline(f"""
name: load
{top}
nodes:
  - use: files
    with: {{path: in/*.csv, stream: t, select: {select}}}
  - use: csv.decode
  - use: sqlite
    with: {{path: out.db, write: {write}}}
""")

    def plan(self, pipeline):
        return self.patchbay("plan", pipeline, "--output", "json").json

    def file(self, content, name="splits.json"):
        (self.folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return name

    def ids(self):
        return [row[0] for row in self.rows("SELECT id FROM t ORDER BY id")]

    def test_parts_of_a_plan_add_up_to_the_whole(self):
        pipeline = self.load()
        splits = self.plan(pipeline)["splits"]
        self.assertEqual([(s["node"], s["stream"]) for s in splits], [("files", "t")] * 3)
        self.run_json(pipeline, "--split", self.file(splits[1]))
        self.assertEqual(self.ids(), [2])
        self.assertEqual(len(self.plan(pipeline)["splits"]), 2)
        self.run_json(pipeline, "--split", self.file([splits[0], splits[1]]))
        self.assertEqual(self.ids(), [1, 2])
        self.run_json(pipeline)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_a_whole_plan_is_a_list_of_splits_too(self):
        pipeline = self.load()
        self.run_json(pipeline, "--split", self.file(self.plan(pipeline)))
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_a_plan_of_files_that_have_changed_since_writes_nothing(self):
        pipeline = self.load(top="retry: {attempts: 1}")
        splits = self.plan(pipeline)["splits"]
        (self.folder / "in/a.csv").write_text("id\n10\n")
        result = self.run_json(pipeline, "--split", self.file(splits[0]), code=5)
        self.assertIn("in/a.csv: changed since it was listed", result.stream["error"]["message"])
        self.assertFalse((self.folder / "out.db").exists())
        self.run_json(pipeline)
        self.assertEqual(self.ids(), [2, 3, 10])

    def test_splits_that_write_one_file_are_not_run_apart(self):
        pipeline = self.pipeline("""
name: gather
retry: {attempts: 1}
nodes:
  - {use: files, with: {path: in/*, stream: t, select: new}}
  - {use: files, id: out, with: {path: out/all.txt}}
""")
        first, *others = self.plan(pipeline)["splits"]
        self.run_json(pipeline, "--split", self.file(first))
        for split in others:
            result = self.run_json(pipeline, "--split", self.file(split), code=3)
            self.assertIn(f"{self.folder}/out/all.txt: is written by {first['lane']}", result.stream["error"]["message"])
            self.assertEqual((self.folder / "out/all.txt").read_text(), "id\n1\n")

    def test_splits_that_commit_together_are_not_run_apart(self):
        pipeline = self.load("replace", "all")
        splits = self.file(self.plan(pipeline)["splits"][:1])
        result = self.run_json(pipeline, "--split", splits, code=3)
        self.assertIn("--split: the splits of node files commit together", result.json["error"]["message"])
        self.assertFalse((self.folder / "out.db").exists())

    def test_what_is_no_split_is_refused_by_member(self):
        pipeline = self.load()
        split = self.plan(pipeline)["splits"][0]
        cases = [
            ("[", 3, "splits.json: "),
            ([split, 7], 3, "splits.json: member 2: is no split"),
            ([{**split, "node": "fils"}], 3, "member 1: node fils is no source of load, did you mean files?"),
            ([{**split, "split": {"id": "x"}}], 3, "member 1: a split without a stream"),
            ([split, split], 3, f"member 2: split {self.folder}/in/a.csv"),
        ]
        for content, code, message in cases:
            with self.subTest(message):
                result = self.patchbay("run", pipeline, "--split", self.file(content))
                self.assertEqual(result.code, code, result)
                self.assertIn(message, result.err)
        result = self.patchbay("run", pipeline, "--split", "nosuch.json")
        self.assertEqual(result.code, 3, result)
        self.assertIn("--split nosuch.json: cannot be read", result.err)
        self.assertEqual(self.patchbay("run", pipeline, "--split", self.file(split), "--full-refresh").code, 2)

    def test_another_split_may_run_beside_and_the_pipeline_may_not(self):
        pipeline = self.load()
        split = self.file(self.plan(pipeline)["splits"][:1])
        (self.folder / "state/locks").mkdir(parents=True, exist_ok=True)
        with open(self.folder / "state/locks/load.lock", "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 12345)  # as a run of another split holds it
            self.assertEqual(self.patchbay("run", pipeline).code, 75)
            self.run_json(pipeline, "--split", split)
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as a run of the pipeline holds it
            result = self.patchbay("run", pipeline, "--split", split)
            self.assertEqual((result.code, "already runs" in result.err), (75, True), result)


if __name__ == "__main__":
    main()
