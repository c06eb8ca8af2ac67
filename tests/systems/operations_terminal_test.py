"""Names and values from outside never control a terminal, forge a line or turn the direction of a text, whatever prints them."""

import json
import os
import re
import sqlite3
import subprocess

from harness import BUILD, main
from operations import OperationsTest

# An escape sequence, a line break, a C1 control, a change of direction, a line separator.
EVIL = "b\x1b[31m\nforged: ok\x9b2J\u202egpj\u2028x"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|^forged", re.M)


class TerminalTest(OperationsTest):
    def setUp(self):
        super().setUp()
        (self.folder / "in").mkdir()
        (self.folder / f"in/{EVIL}.csv").write_text("id\n1\nx\n")
        with sqlite3.connect(self.folder / "s.db") as database:
            database.execute(f'CREATE TABLE "t{EVIL}" (id INTEGER PRIMARY KEY, "c{EVIL}" TEXT)')
            database.execute(f'INSERT INTO "t{EVIL}" VALUES (1, ?)', [EVIL])
        database.close()
        self.files = self.pipeline("""
name: files
rejects: {max: 9}
nodes:
  - {use: files, with: {path: "in/b*", stream: rows}}
  - {use: csv.decode, with: {types: {id: int64}}}
  - {use: sqlite, with: {path: o.db}}
""", "files")
        self.tables = self.pipeline("""
name: tables
nodes:
  - {use: sqlite, id: src, with: {path: s.db, cursor: id}}
  - {use: sqlite, id: out, with: {path: o2.db}}
""", "tables")

    def assert_clean(self, note, result):
        for name, text in (("stdout", result.out), ("stderr", result.err)):
            found = RAW.search(text)
            self.assertIsNone(found, f"{note}: {name}: {found and found.group(0)!r} in {text!r}")

    def test_every_verb(self):
        evil_file = str(self.folder / f"in/{EVIL}.csv")
        verbs = [("plan", self.files), ("discover", self.files), ("check", self.files), ("preview", self.files),
                 ("run", self.files), ("run", self.files, "--progress", "log"), ("plan", self.tables), ("discover", self.tables),
                 ("preview", self.tables), ("run", self.tables), ("state", "show", "tables"), ("state", "history", "tables"),
                 ("rejects", "list", "files"), ("rejects", "show", "1"), ("rejects", "export", "files"), ("runs", "list"), ("runs", "show"),
                 ("copy", evil_file, "o3.db"), ("copy", evil_file, "o4.db", "--print"), ("validate", evil_file), ("run", evil_file),
                 ("run", EVIL), (EVIL,), ("plugins", "show", EVIL), ("state", "show", EVIL), ("state", "reset", EVIL), ("plan", "--node", EVIL),
                 ("run", self.files, "--set", f"{EVIL}=1"), ("run", self.files, f"--{EVIL}"), ("run", self.files, EVIL),
                 ("runs", "show", EVIL), ("rejects", "show", EVIL), ("preview", self.tables, "--node", EVIL), ("--env", EVIL, "runs", "list"),
                 ("help", EVIL), ("completion", EVIL), ("new", "plugin", EVIL), ("plugins", "verify", f"{EVIL}.deb"),
                 ("run", self.files, "--split", EVIL), ("state", "set", "tables", "--stream", EVIL, json.dumps({"a": EVIL})),
                 ("state", "set", "tables", "--stream", "a", "cursor=5"), ("--plugin-dir", EVIL, "runs", "list"),
                 ("state", "accept", "tables", "--stream", EVIL), ("state", "discard", "tables", "--without", EVIL),
                 ("state", "move", "tables", EVIL.replace("/", "")), ("state", "move", f"tables/{EVIL}", f"tables/{EVIL}x"), ("state", "show", EVIL),
                 ("rejects", "clear", "files", "--before", EVIL), ("rejects", "clear", "files"),
                 ("--log-level", "trace", "run", self.tables, "--full-refresh")]
        for verb in verbs:
            for more in ((), ("--output", "json"), ("--log-format", "json")):
                with self.subTest(verb, more=more):
                    self.assert_clean(verb, self.patchbay(*verb, *more))

    def test_what_is_shown_says_what_it_was(self):
        self.assertIn(r"b\x1b[31m\nforged: ok\u009b2J\u202egpj\u2028x.csv", self.patchbay("plan", self.files).out)
        shown = self.patchbay("preview", self.tables, "--output", "json")
        self.assertEqual(shown.json[0]["rows"], [{"id": 1, f"c{EVIL}": EVIL}])

    def test_plugins_and_environments(self):
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        environment = self.folder / f"etc/environments/{EVIL}"
        (environment / "plugins.d").mkdir(parents=True)
        (environment / "environment.yaml").write_text(json.dumps({"variables": {"v": EVIL}, "description": EVIL}))
        (environment / f"plugins.d/{EVIL}.json").symlink_to("/nowhere")
        (environment / "pipelines").mkdir()
        (environment / f"pipelines/{EVIL}.yaml").write_text("nodes: [")
        plugins = self.folder / "plugins"
        plugins.mkdir()
        manifest = json.loads((BUILD / "manifests/fields.json").read_text())
        manifest.update(id="mine", library="mine.so", summary=EVIL, documentation=f"one\n{EVIL}", version="1.0.0")
        (plugins / "mine.json").write_text(json.dumps(manifest))
        (plugins / "mine.so").write_text("")
        (plugins / f"{EVIL}.json").write_text("{")
        self.environment["PATCHBAY_PLUGIN_DIR"] = str(plugins)
        for verb in (("plugins", "list"), ("plugins", "show", "mine"), ("plugins", "verify"), ("--env", EVIL, "plugins", "list"),
                     ("--env", EVIL, "validate", "--values"), ("--env", "nosuch", "plugins", "list"), ("--env", EVIL, "validate", self.files)):
            for more in ((), ("--output", "json")):
                result = self.patchbay(*verb, *more)
                text = result.out.replace("\nforged", "\n") if "show" in verb else result.out  # documentation has lines of its own
                self.assertIsNone(RAW.search(text + result.err), (verb, result))
        result = self.patchbay("plugins", "show", "mine", "--output", "markdown")
        self.assertIsNone(RAW.search(result.out.replace("\nforged", "\n")), result)

    def test_completion_offers_no_such_word(self):
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        (self.folder / f"etc/environments/{EVIL}").mkdir(parents=True)
        (self.folder / "etc/environments/prod").mkdir()
        result = self.patchbay("__complete", "--env", "")
        done = subprocess.run([BUILD / "patchbay", "__complete", "--env", ""], env=self.environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, sorted(done.stdout.split())), (0, ["local", "prod"]), done)
        self.assert_clean("completion", result)

    def test_colours_stay_and_names_have_none(self):
        master, slave = os.openpty()
        subprocess.run([*self.command("run", self.tables, "--progress", "none")], stdout=slave, stderr=slave, cwd=self.folder,
                       env={**self.environment, "TERM": "xterm"}, timeout=60)
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:  # the other side is closed
            pass
        os.close(master)
        text = text.decode().replace("\r\n", "\n")
        self.assertIn("\x1b[32mok\x1b[0m", text)
        self.assertNotIn("\x1b[31m", text)
        self.assertIn(r"tb\x1b[31m\nforged", text)


if __name__ == "__main__":
    main()
