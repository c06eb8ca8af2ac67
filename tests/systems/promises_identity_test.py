"""A state knows what it is a state of."""

import json
import shutil
import sqlite3

from harness import main
from promises_case import QUICK, PromisesTest


class IdentityTest(PromisesTest):
    def test_another_folder_is_another_source(self):
        for folder, first in (("north", 100), ("south", 1)):
            (self.folder / folder).mkdir()
            self.shop(first, first + 1, name=f"{folder}/shop.db")
        text = "name: load\nnodes:\n  - {{use: sqlite, id: src, with: {{path: {0}/shop.db, cursor: id}}}}\n  - {{use: sqlite, with: {{path: {0}/out.db}}}}\n"
        self.run_json(self.pipeline(text.format("north"), "load"))
        self.refused(3, ["stream orders: the state is of something else", "path of src was", "north/shop.db, and is", "south/shop.db",
                         "state accept load --stream orders", "--full-refresh", "state set load", "name:"],
                     "run", self.pipeline(text.format("south"), "load"))
        self.assertFalse((self.folder / "south/out.db").exists())

    def test_a_variable_can_be_part_of_the_name(self):
        for name, first in (("north", 100), ("south", 1)):
            self.shop(first, first + 1, name=f"{name}.db")
        text = "variables: {shop: north}\nnodes:\n  - {use: sqlite, id: src, with: {path: '${shop}.db', cursor: id}}\n" \
               "  - {use: sqlite, with: {path: out.db, tables: {orders: 'orders_${shop}'}}}\n"
        pipeline = self.pipeline(text)
        self.run_json(pipeline)
        self.refused(3, "south.db", "run", pipeline, "--set", "shop=south")
        pipeline = self.pipeline("name: 'load_${shop}'\n" + text, "named")
        self.run_json(pipeline, "--full-refresh")
        self.run_json(pipeline, "--set", "shop=south")
        self.assertEqual(self.ids("orders_south"), [1, 2])
        for verb in (["state", "show"], ["rejects", "list"], ["state", "discard"]):
            self.refused(2, "say the name that it had", *verb, pipeline)
        self.assertIn("orders", self.patchbay("state", "show", "load_south").out)

    def test_another_target_is_not_gone_on_with(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        moved = self.follow("path: elsewhere.db")
        self.refused(3, ["path of out was", "out.db, and is", "elsewhere.db"], "run", moved)
        self.refused(3, "elsewhere.db", "plan", moved)
        self.run_json(moved, "--full-refresh")
        self.assertEqual(self.ids("orders", "elsewhere.db"), [1, 2])
        self.shop(3)
        self.run_json(moved)
        self.assertEqual(self.ids("orders", "elsewhere.db"), [1, 2, 3])

    def test_a_state_is_of_its_options(self):
        """One option is another one after the first run."""
        self.shop(1, 2)
        self.database("shop.db", "CREATE TABLE more (id INTEGER PRIMARY KEY, item TEXT)", "INSERT INTO more VALUES (3, 'item 3')")
        tables, query = "path: shop.db, cursor: id, tables: {orders: orders}", "path: shop.db, cursor: id, query: SELECT id FROM orders"
        cases = [("cursor of src was id, and is item", tables, tables.replace("cursor: id", "cursor: item"), "t"),
                 ("query of src was SELECT id FROM orders, and is SELECT id FROM more", query, query.replace("FROM orders", "FROM more"), "t"),
                 ("table of src was orders, and is more", tables, tables.replace("orders: orders", "orders: more"), "t"),
                 ("table of out was t, and is u", tables, tables, "u")]
        for said, was, now, table in cases:
            with self.subTest(said):
                for file in [*self.folder.glob("out.db*"), *self.folder.glob("state/pipelines/*")]:
                    file.unlink()
                follow = lambda source, table: self.follow(f"path: out.db, tables: {{orders: {table}, query: {table}}}", source=source)
                self.run_json(follow(was, "t"))
                for verb in ("plan", "run"):
                    self.refused(3, ["the state is of something else", said, "state accept p"], verb, follow(now, table))
                self.assertEqual((self.ids("t"), self.ids("u")), ([1, 2], []))
                self.run_json(follow(was, "t"))
                self.assertEqual(self.ids("t"), [1, 2])

    def test_a_state_is_accepted_where_it_is_the_same_all_the_same(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        shutil.move(self.folder / "out.db", self.folder / "renamed.db")
        moved = self.follow("path: renamed.db")
        self.refused(3, "state accept", "run", moved)
        self.assertEqual(self.patchbay("state", "accept", moved).code, 0)
        self.shop(3)
        self.assertIn("taken for this pipeline's", self.run_json(moved).err)
        self.assertEqual(self.ids("orders", "renamed.db"), [1, 2, 3])
        self.assertNotIn("taken for this pipeline's", self.run_json(moved).err)

    def test_a_sink_that_is_new_got_none_of_the_earlier_rows(self):
        self.shop(1)
        self.run_json(self.follow())
        text = (self.folder / "p.yaml").read_text() + "  - {use: sqlite, id: more, from: src, with: {path: more.db}}\n"
        self.refused(3, "the sink more was not there", "run", self.pipeline(text, "p"))

    def test_a_renamed_node_takes_its_state_along(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        renamed = self.follow(node="shop")
        self.refused(3, ["node shop: has no state", "from a node src", "state move p/src p/shop"], "run", renamed)
        self.assertEqual(self.patchbay("state", "move", "p/src", "p/shop").code, 0)
        self.shop(3)
        self.run_json(renamed)
        self.assertEqual(self.ids("orders"), [1, 2, 3])
        self.refused(2, "no state of a node src", "state", "move", "p/src", "p/other")

    def test_a_renamed_pipeline_takes_its_state_along(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        renamed = self.follow(name="q")
        self.refused(3, ["pipeline p", "state move p q", "--full-refresh"], "run", renamed)
        moved = self.patchbay("state", "move", "p", "q")
        self.assertEqual(moved.code, 0, moved)
        self.shop(3)
        self.run_json(renamed)
        self.assertEqual(self.ids("orders"), [1, 2, 3])
        self.refused(2, "p", "state", "show", "p")

    def test_a_table_that_is_gone_is_not_made_anew_in_silence(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        self.database("out.db", "DROP TABLE orders")
        self.shop(3)
        refused = self.run_json(self.follow(), code=3)
        self.assertIn("the table orders is not there, though earlier runs delivered orders into it", refused.stream["error"]["message"])
        self.assertIn("--full-refresh", refused.stream["error"]["message"])
        self.run_json(self.follow(), "--full-refresh")
        self.assertEqual(self.ids("orders"), [1, 2, 3])

    def test_a_state_that_is_older_than_its_sink_is_noticed(self):
        self.shop(1, 2)
        self.run_json(self.follow())
        self.copy_state("kept")
        self.shop(3)
        self.run_json(self.follow())
        self.restore_state("kept")
        self.shop(4)
        refused = self.run_json(self.follow(), code=3)
        self.assertIn("the state is older than what it describes", refused.json["error"]["message"])
        self.assertEqual(self.ids("orders"), [1, 2, 3])
        self.database("out.db", "DELETE FROM orders WHERE id = 3")
        self.patchbay("state", "accept", "p")
        self.run_json(self.follow())
        self.assertEqual(self.ids("orders"), [1, 2, 3, 4])

    def test_a_target_that_is_older_than_the_state_is_noticed(self):
        ways = {"accept": (lambda pipeline: self.patchbay("state", "accept", "p"), [], [1, 4, 5]),
                "refresh": (lambda pipeline: None, ["--full-refresh"], [1, 1, 2, 3, 4, 5]),
                "replaced": (lambda pipeline: shutil.copy(self.folder / "newer.db", self.folder / "out.db"), [], [1, 2, 3, 4, 5])}
        for name, (go_on, options, rows) in ways.items():
            with self.subTest(name):
                for file in [*self.folder.glob("*.db"), *self.folder.glob("state/pipelines/*")]:
                    file.unlink()
                self.shop(1)
                self.run_json(self.follow())
                shutil.copy(self.folder / "out.db", self.folder / "older.db")
                self.shop(2, 3)
                self.run_json(self.follow())
                shutil.copy(self.folder / "out.db", self.folder / "newer.db")
                shutil.copy(self.folder / "older.db", self.folder / "out.db")
                self.shop(4)
                refused = self.run_json(self.follow(), code=3).json["error"]["message"]
                for words in ("out is older than the state", "has epoch 1 of this pipeline", "took epoch 2", "--full-refresh", "state accept p"):
                    self.assertIn(words, refused)
                self.assertEqual(self.ids("orders"), [1])
                go_on(self.follow())
                self.run_json(self.follow(), *options)
                self.shop(5)
                self.run_json(self.follow())
                self.assertEqual(self.ids("orders"), rows)


class StateVerbsTest(PromisesTest):
    def test_a_state_can_be_set_before_and_after_runs(self):
        self.shop(1, 2, 3)
        pipeline = self.follow()
        for after, written in ((1, [2, 3]), (2, [2, 3, 3]), (2, [2, 3, 3, 3])):
            self.assertEqual(self.patchbay("state", "set", pipeline, "--stream", "orders", json.dumps({"cursor": after})).code, 0)
            self.run_json(pipeline)
            self.assertEqual(self.ids("orders"), written)

    def test_names_that_nobody_knows_are_no_good_news(self):
        self.shop(1)
        self.run_json(self.follow())
        for words in (("state", "show", "nope"), ("state", "reset", "nope"), ("rejects", "list", "nope"), ("rejects", "clear", "nope")):
            self.refused(2, "nope: there is neither such a file nor a record of such a pipeline; there is p", *words)
        self.refused(2, "p has no stream ordres, did you mean orders?", "state", "set", "p", "--stream", "ordres", "1")
        self.refused(2, ["no state of sqlite", "cursor"], "state", "set", "p.yaml", "--stream", "orders", '{"curser": 1}')
        # By its name alone the sources are not known; the run knows them.
        for value, why in (('{"curser": 1}', "its state is none of sqlite"), ('{"cursor": "x"}', "its cursor is text, and id goes by whole numbers")):
            self.assertEqual(self.patchbay("state", "set", "p", "--stream", "orders", value).code, 0)
            self.refused(3, why, "run", "p.yaml")

    def test_a_full_refresh_replaces_the_state_when_it_commits(self):
        self.shop(1, 2)
        pipeline = self.follow()
        self.run_json(pipeline)
        (self.folder / "shop.db").rename(self.folder / "away.db")
        self.assertNotEqual(self.patchbay("run", pipeline, "--full-refresh").code, 0)
        (self.folder / "away.db").rename(self.folder / "shop.db")
        self.run_json(pipeline)
        self.assertEqual(self.ids("orders"), [1, 2])

    def test_a_full_refresh_of_files_reads_each_once_more(self):
        for name in "ab":
            self.csv(f"in/{name}.csv", [ord(name)])
        pipeline = self.files()
        self.run_json(pipeline)
        self.crash(pipeline, "state.committed.after", "--full-refresh")
        self.run_json(pipeline)
        self.assertEqual(len(self.ids()), 4)
        self.run_json(pipeline)
        self.assertEqual(len(self.ids()), 4)

    def test_records_of_the_version_before_are_taken_over(self):
        self.shop(1, 2, 3)
        (self.folder / "state").mkdir(mode=0o700)
        old = sqlite3.connect(self.folder / "state/state.db")
        old.executescript("""
PRAGMA user_version = 1;
CREATE TABLE runs (run TEXT PRIMARY KEY, pipeline TEXT, environment TEXT, started TEXT, finished TEXT, outcome TEXT, exit_code INTEGER, report TEXT);
CREATE TABLE epochs (pipeline TEXT, lane TEXT, epoch INTEGER, run TEXT, phase TEXT, txns TEXT, record TEXT, at TEXT);
CREATE TABLE states (pipeline TEXT, split TEXT, stream TEXT, state TEXT, done INTEGER);
CREATE TABLE history (id INTEGER PRIMARY KEY, pipeline TEXT, split TEXT, stream TEXT, state TEXT, run TEXT, at TEXT);
CREATE TABLE known_fields (pipeline TEXT, stream TEXT, path TEXT, type TEXT);
CREATE TABLE rejects (id INTEGER PRIMARY KEY, pipeline TEXT, run TEXT, lane TEXT, epoch INTEGER, stream TEXT, node TEXT, code TEXT, reason TEXT,
  position TEXT, record TEXT, kept INTEGER);
INSERT INTO runs VALUES ('01A', 'p', 'local', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'ok', 0, '{"run": "01A", "streams": []}');
INSERT INTO states VALUES ('p', 'src/orders', 'orders', '{"cursor":2}', 0), ('other', 'src/orders', 'orders', '{"cursor":9}', 0);
INSERT INTO rejects VALUES (7, 'p', '01A', 'src/orders', 1, 'orders', 'out', 'type', 'why', '', '{"id":1}', 1);
""")
        old.commit()
        old.close()
        pipeline = self.follow()
        self.assertEqual(self.patchbay("state", "show", "p", "--output", "json").json["streams"], {"orders": {"cursor": 2}})
        self.database("out.db", "CREATE TABLE orders (id INTEGER, item TEXT)")
        first = self.run_json(pipeline)
        self.assertIn("the state on record is taken for this pipeline's", first.err)
        self.assertEqual(self.ids("orders"), [3])
        self.assertNotIn("taken for", self.run_json(pipeline).err)
        self.assertEqual([run["run"] for run in self.patchbay("runs", "list", "--output", "json", "--pipeline", "p").json][-1], "01A")
        self.assertEqual(len(self.patchbay("rejects", "list", "p", "--output", "json").json), 1)
        newer = sqlite3.connect(self.folder / "state/state.db")
        newer.execute("PRAGMA user_version = 2")
        newer.close()
        self.refused(3, "was written by a newer patchbay", "run", self.follow(name="other"))


if __name__ == "__main__":
    main()
