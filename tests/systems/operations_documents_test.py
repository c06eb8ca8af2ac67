"""Pipeline files that are wrong, or meant to do harm: refused at once, with line and column, before any plugin runs."""

import json
import os
import subprocess
import time

from harness import PATIENCE, Result, main
from operations import OperationsTest

NODES = "nodes:\n  - use: files\n    with: {path: a.csv, stream: t}\n  - use: csv.decode\n  - use: sqlite\n    with: {path: out.db}\n"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]\n" for i in range(1, 12))
# Text, and what is said about it.
HOSTILE = [
    ("name: bomb\n" + LAUGHS, ["values, those behind aliases included"]),
    ("name: big\ndescription: &d " + "x" * 100000 + "\nlist: [" + ", ".join(["*d"] * 5000) + "]\n", ["larger than 64 MiB with its"]),
    ("name: self\nnodes: &n [*n]\n", ["pipeline.yaml:2:", "an alias inside its own anchor"]),
    ("name: deep\nnodes: " + "[" * 100000, ["pipeline.yaml:2:"]),
    ("name: deep\nnodes: " + "[" * 500 + "]" * 500, ["pipeline.yaml:2:", "nested deeper than"]),
    ("{" * 100000, ["pipeline.yaml:1:"]),
    ('{"a":' * 100000, ["pipeline.yaml:1:"]),
    ('{"a":' * 500 + "1" + "}" * 500, ["pipeline.yaml:1:", "nested deeper than"]),
    ("- " * 100000, ["pipeline.yaml:1:", "nested deeper than"]),
    ("name: twice\nname: again\n" + NODES, ["pipeline.yaml:2:1: name: stands twice, first on line 1"]),
    ("name: twice\n" + NODES.replace("path: a.csv", "path: a.csv, path: b.csv"), ["pipeline.yaml:4:", "path: stands twice"]),
    ('{"name": "twice", "nodes": [], "nodes": []}', ["nodes: stands twice"]),
    ("name: \ttab\nnodes:\n\t- use: files\n", ["pipeline.yaml:3:", "indented by a tab; use spaces"]),
    ("name: two\n" + NODES + "---\nname: second\n", ["pipeline.yaml:8:", "a second document begins here"]),
    ("", ["is empty"]),
    ("# only a comment\n", ["pipeline.yaml"]),
    ("just text", ["pipeline.yaml:1:1"]),
    ("- a\n- list\n", ["pipeline.yaml:1:1"]),
    ("name: cut\nnodes: [{use: files", ["pipeline.yaml:2:"]),
    (b"name: \xff\xfe\n", ["pipeline.yaml:1:7: a byte that is no UTF-8 text"]),
    (b"name: zero\0\n", ["pipeline.yaml:1:11: a byte that is no UTF-8 text"]),
    ("? [a, b]\n: c\n", ["a key must be plain text"]),
    ("name: !!python/object/apply:os.system [touch /tmp/x]\n" + NODES, ["pipeline.yaml:1:", "name"]),
]
# Changes of a good file, and what is said.
WRONG = [
    ("name: load", "name: ../../etc/passwd", ["pipeline.yaml:1:", "name"]),
    ("name: load", "name: load\nretyr: {attempts: 2}", ["pipeline.yaml:2:1: retyr: unknown", "did you mean retry?"]),
    ("name: load", "name: load\nretry: {attempts: 0}", ["pipeline.yaml:2:", "retry.attempts: must be between 1 and 100, not 0"]),
    ("name: load", "name: load\nconcurrency: 1000000", ["pipeline.yaml:2:", "concurrency"]),
    ("name: load", "name: load\nrejects: {max: many}", ["pipeline.yaml:2:", "rejects.max"]),
    ("name: load", "name: load\ncommit: {every: soon}", ["pipeline.yaml:2:", "commit.every", "a duration like"]),
    ("name: load", "name: load\ncommit: {rows: -1}", ["pipeline.yaml:2:", "commit.rows"]),
    ("name: load", "name: load\non_schema_change: evole", ["pipeline.yaml:2:", "on_schema_change", "evolve"]),
    ("name: load", "name: load\nrequire: exactly_twice", ["pipeline.yaml:2:", "require", "exactly_once"]),
    ("path: a.csv", "paht: a.csv", ["pipeline.yaml:4:12: paht: unknown option of files", "did you mean path?"]),
    ("path: a.csv", "path: [1, 2]", ["pipeline.yaml:4:", "path: must be"]),
    ("path: a.csv", "path: '${nowhere}.csv'", ["pipeline.yaml:4:", "nowhere"]),
    ("path: a.csv", "path: ${run.id}.csv", ["pipeline.yaml:4:", "a text with ${..} needs quotes"]),
    ("use: sqlite", "use: sqlitee", ["pipeline.yaml:6:", "sqlitee", "did you mean sqlite?"]),
    ("use: csv.decode", "use: csv", ["pipeline.yaml:5:", "csv.decode"]),
    ("use: csv.decode", "use: csv.decoed", ["pipeline.yaml:5:", "did you mean", "decode"]),
    ("use: csv.decode", "use: csv.decode\n    from: fiels", ["pipeline.yaml:6:", "fiels", "did you mean files?"]),
    ("use: csv.decode", "use: csv.decode\n    id: files", ["pipeline.yaml:", "files", "two nodes"]),
    ("use: csv.decode", "use: csv.decode\n    id: a\n    from: b\n  - use: fields\n    id: b\n    from: a", ["node a reads itself, directly or through others"]),
    ("  - use: sqlite\n    with: {path: out.db}\n", "", ["pipeline.yaml:5:5: use: csv.decode stands where a sink must be (no node reads it)"]),
    ("path: out.db", "path: out.db, write: upsert", ["pipeline.yaml:7:", "keys"]),
    ("  - use: sqlite\n    with: {path: out.db}",
     "  - use: sqlite\n    with: {path: out.db}\n  - {use: sqlite, id: two, from: csv, with: {path: out.db}}", ["table"]),
]


class DocumentsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        (self.folder / "a.csv").write_text("id\n1\n")

    def write(self, content):
        file = self.folder / "pipeline.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    def assert_refused(self, pipeline, words, seconds=2):
        for arguments in (["run", pipeline], ["validate", pipeline], ["run", pipeline, "--output", "json"], ["plan", pipeline]):
            began = time.monotonic()
            result = self.patchbay(*arguments)
            self.assertLess(time.monotonic() - began, seconds * PATIENCE)
            self.assert_fails(result, 3, *words)
            self.assertLess(len(result.out + result.err), 4000)
        self.assertFalse((self.folder / "out.db").exists())
        self.assertFalse(list((self.folder / "state").glob("*")) if (self.folder / "state").exists() else [])

    def test_the_good_file_runs(self):
        self.assertEqual(self.patchbay("run", self.write("name: load\n" + NODES)).code, 0)

    def test_hostile_files_are_refused_quickly(self):
        for text, words in HOSTILE:
            with self.subTest(text[:40]):
                self.assert_refused(self.write(text), words)

    def test_a_gigabyte_is_not_read(self):
        for size in ((16 << 20) + 1, 1 << 30):
            file = self.write("name: big\n" + NODES)
            os.truncate(file, size)
            self.assert_refused(file, ["pipeline.yaml: is larger than 16 MiB"], 0.5)

    def test_standard_input_without_end_is_not_read(self):
        for source in ("/dev/zero", "/dev/urandom"):
            with open(source, "rb") as stdin:
                began = time.monotonic()
                result = self.patchbay_from(stdin, "run", "-")
                self.assert_fails(result, 3, "-")
                self.assertLess(time.monotonic() - began, 3 * PATIENCE)

    def patchbay_from(self, stdin, *arguments):
        return Result(subprocess.run(self.command(*arguments), stdin=stdin, capture_output=True, text=True, timeout=60,
                                     cwd=self.folder, env=self.environment))

    def test_what_is_no_file(self):
        (self.folder / "folder").mkdir()
        for name, word in (("nowhere.yaml", "is not there"), ("folder", "is a folder, not a pipeline file"), ("", "is not there"),
                           ("a" * 5000, "is not there")):
            for verb in ("run", "plan", "check", "preview", "discover"):
                self.assert_fails(self.patchbay(verb, name), 3, word)
        closed = self.write("name: load\n" + NODES)
        os.chmod(closed, 0)
        self.assert_fails(self.as_plain_user("run", closed), 3, "pipeline.yaml: cannot be read: Permission denied")

    def test_each_fault_has_its_place_and_a_suggestion(self):
        good = "name: load\n" + NODES
        for old, new, words in WRONG:
            with self.subTest(new):
                self.assertIn(old, good)
                self.assert_refused(self.write(good.replace(old, new)), words)

    def test_every_fault_of_a_file_at_once(self):
        text = "name: load\nretires: {}\n" + NODES.replace("path: a.csv", "paht: a.csv").replace("sqlite", "sqlitee")
        result = self.patchbay("validate", self.write(text))
        self.assert_fails(result, 3, "retires", "paht", "sqlitee")
        lines = result.out.splitlines()
        self.assertEqual([line.startswith(f"{self.folder}/pipeline.yaml:") for line in lines], [True] * len(lines))
        self.assertGreaterEqual(len(lines), 3)

    def test_several_files_each_by_name(self):
        good = self.pipeline("name: good\n" + NODES, "good")
        bad = self.pipeline("name: bad\n" + NODES.replace("path: a", "paht: a"), "bad")
        result = self.patchbay("validate", good, bad, "--output", "json")
        self.assertEqual(result.code, 3)
        self.assertEqual([(one["pipeline"], one["valid"]) for one in result.json], [(good, True), (bad, False)])
        self.assertIn("paht", json.dumps(result.json[1]))


if __name__ == "__main__":
    main()
