"""Local files as objects: versions, what happens to them afterwards, where names may lead, mirrors."""

import os
import stat

from harness import main
from promises_case import PromisesTest


class ObjectsTest(PromisesTest):
    def load(self, more="", select="new", top="", decode="csv.decode", path="in/*.csv"):
        return self.pipeline(f"""
name: load
retry: {{attempts: 3, delay: 1ms}}
{top}
nodes:
  - use: files
    with: {{path: "{path}", stream: rows, select: {select}{more}}}
  - use: {decode}
  - {{use: sqlite, id: out, with: {{path: out.db}}}}
""", "load")

    def here(self, *folders):
        return sorted(str(p.relative_to(self.folder)) for folder in folders for p in (self.folder / folder).rglob("*") if p.is_file())

    def deliver(self, path, top="", more=""):
        self.shop(1, 2)
        return self.pipeline(f"""
name: deliver
{top}
nodes:
  - {{use: sqlite, id: src, with: {{path: shop.db}}}}
  - {{use: csv.encode, id: encode, with: {{part_rows: 1, key: "{{stream}}-{{part}}.csv"}}}}
  - {{use: files, id: out, with: {{path: "{path}"{more}}}}}
""", "deliver")


class Afterwards(ObjectsTest):
    def test_a_committed_file_is_moved_copied_or_deleted(self):
        for action, left in (("move_to: 'done/{name}'", ["done/a.csv"]), ("copy_to: '{stream}-done/{key}'", ["in/a.csv", "rows-done/in/a.csv"]),
                             ("delete: true", [])):
            with self.subTest(action):
                self.csv("in/a.csv", [1])
                self.run_json(self.load(f", on_commit: {{{action}}}", select="all"))
                self.assertEqual(self.here("in", "done", "rows-done"), left)
                for name in left:
                    (self.folder / name).unlink()

    def test_looking_moves_nothing(self):
        self.csv("in/a.csv", [1])
        pipeline = self.load(", on_commit: {delete: true}")
        for verb in (["plan"], ["preview"], ["check"], ["validate"]):
            self.assertEqual(self.patchbay(*verb, pipeline).code, 0)
        self.assertEqual(self.here("in"), ["in/a.csv"])

    def test_what_a_crash_keeps_from_a_file_the_next_run_does(self):
        pipeline = self.load(", on_commit: {move_to: 'done/{name}'}")
        for number, step in enumerate(("state.record.after", "state.committed.before", "state.committed.after")):
            with self.subTest(step):
                self.csv(f"in/{number}.csv", [number])
                self.crash(pipeline, step)
                self.assertEqual(self.here("in"), [f"in/{number}.csv"])
                self.run_json(pipeline)
                self.assertEqual(self.here("in"), [])
                self.assertEqual(self.ids(), list(range(number + 1)))

    def test_a_file_that_fails_for_good_is_set_aside_and_others_go_on(self):
        self.csv("in/a.csv", [1])
        self.write_bytes("in/b.csv", b'id\n"never closed\n')
        pipeline = self.load(", on_refusal: {move_to: 'bad/{name}'}")
        self.run_json(pipeline, code=8)
        self.assertEqual(self.here("in", "bad"), ["bad/b.csv", "in/a.csv"])
        self.run_json(pipeline)
        self.assertEqual(self.ids(), [1])

    def write_bytes(self, name, data):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(data)

    def test_options_that_exclude_each_other_are_refused(self):
        self.refused(3, "on_commit.delete: not together with move_to", "validate", self.load(", on_commit: {move_to: x, delete: true}"))
        self.refused(3, "on_refusal.move_to: not together with copy_to", "validate", self.load(", on_refusal: {move_to: x, copy_to: y}"))


class Names(ObjectsTest):
    def test_a_link_in_the_folder_is_not_followed(self):
        (self.folder / "out").mkdir()
        (self.folder / "elsewhere").mkdir()
        (self.folder / "out/orders").symlink_to("../elsewhere")
        pipeline = self.deliver("out/{stream}/{key}")
        self.refused(3, "out/orders: is a link to ../elsewhere", "run", pipeline)
        self.assertEqual(self.here("elsewhere"), [])

    def test_what_is_no_file_stays_and_nothing_is_left_beside_it(self):
        os.mkfifo(self.folder / "fifo.csv")
        (self.folder / "dir.csv").mkdir()
        self.csv("a.csv", [1])
        for target, words in (("fifo.csv", "is a FIFO, and only files are written"), ("dir.csv", "is a folder; write")):
            self.refused(3, words, "copy", "a.csv", target)
        self.assertTrue(stat.S_ISFIFO((self.folder / "fifo.csv").lstat().st_mode))
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".patchbay")], [])

    def test_a_delivered_file_that_a_consumer_takes_is_delivered_once(self):
        self.shop(1, 2)
        pipeline = self.write('  - {use: sqlite, id: src, with: {path: shop.db, cursor: id}}\n  - use: csv.encode\n'
                              '  - {use: files, id: out, with: {path: "outbox/{stream}_${run.id}.csv"}}\n')
        self.crash(pipeline, "files.renamed")
        taken = [path.read_text() for path in (self.folder / "outbox").iterdir()]
        for path in list((self.folder / "outbox").iterdir()):
            path.unlink()
        self.run_json(pipeline)
        taken += [path.read_text() for path in (self.folder / "outbox").glob("*")]
        self.assertEqual("".join(taken).count("item 1"), 1)
        self.assertEqual([path.name for path in (self.folder / "outbox").glob(".*")], [])

    def test_a_run_without_a_row_makes_no_file(self):
        pipeline = self.write('  - {use: sqlite, id: src, with: {path: shop.db, cursor: id}}\n  - use: csv.encode\n'
                              '  - {use: files, id: out, with: {path: "out/{stream}_${run.id}.csv"}}\n')
        files = []
        for ids in ([1, 2], [], [3], []):
            self.shop(*ids)
            run = self.run_json(pipeline).json["run"]
            files += [f"out/orders_{run}.csv"] if ids else []
            self.assertEqual(self.here("out"), sorted(files))
        self.assertEqual([(self.folder / name).read_text() for name in files], ["id,item\n1,item 1\n2,item 2\n", "id,item\n3,item 3\n"])

    def test_two_streams_of_one_name_do_not_overwrite_one_another(self):
        for number in (1, 2):
            self.shop(number, name=f"shop{number}.db")
        chain = "  - {{use: sqlite, id: shop{0}, from: [], with: {{path: shop{0}.db, cursor: id}}}}\n" \
                "  - {{use: csv.encode, id: csv{0}, with: {{key: '{1}'}}}}\n"
        both = lambda first, second: self.write(chain.format(1, first) + chain.format(2, second) +
                                                "  - {use: files, id: out, from: [csv1, csv2], with: {path: 'out/{key}'}}\n")
        refused = self.patchbay("run", both("{stream}_${run.id}.csv", "{stream}_${run.id}.csv"))
        self.assertIn(refused.code, (3, 8), refused)
        self.assertRegex(refused.err, r"out/orders_\w+\.csv: is written by ")
        self.run_json(both("{stream}_${run.id}.csv", "more_${run.id}.csv"))
        self.assertEqual(sorted((self.folder / name).read_text() for name in self.here("out")), ["id,item\n1,item 1\n", "id,item\n2,item 2\n"])

    def test_two_sinks_do_not_write_one_file(self):
        self.shop(1)
        self.csv("out/orders.csv", [7])
        pipeline = self.write("  - {use: sqlite, id: src, with: {path: shop.db}}\n  - {use: csv.encode, id: csv}\n" +
                              "".join(f"  - {{use: files, id: {name}, from: csv, with: {{path: 'out/{{key}}'}}}}\n" for name in ("one", "two")))
        self.refused(3, ["out/orders.csv: is written by ", "would write it as well; give one of them another place"], "run", pipeline)
        self.assertEqual(self.here("out"), ["out/orders.csv"])
        self.assertEqual((self.folder / "out/orders.csv").read_text(), "id\n7\n")

    def test_kept_objects_are_named_and_counted(self):
        pipeline = self.deliver("out/{key}", more=", if_exists: skip")
        self.run_json(pipeline)
        again = self.patchbay("run", pipeline)
        self.assertIn("if_exists: 2 objects were there and are kept: ", again.err)
        self.assertIn("out/orders-00001.csv", again.err)


class Mirrors(ObjectsTest):
    def publish(self, more=""):
        """A file for each row, out of all files of in/."""
        return self.pipeline(f"""
name: publish
nodes:
  - {{use: files, with: {{path: "in/*.csv", stream: rows}}}}
  - use: csv.decode
  - {{use: csv.encode, id: encode, with: {{part_rows: 1, key: "{{part}}.csv"}}}}
  - {{use: files, id: out, with: {{path: "out/{{stream}}/{{key}}", mirror: true{more}}}}}
""", "publish")

    def test_a_complete_read_removes_what_is_no_longer_there(self):
        pipeline = self.publish(", deletes: {max: '50%'}")
        self.csv("in/a.csv", [1, 2])
        self.csv("out/other/mine.csv", [7])
        self.run_json(pipeline)
        self.assertEqual(self.here("out"), ["out/other/mine.csv", "out/rows/00001.csv", "out/rows/00002.csv"])
        self.csv("in/a.csv", [1])
        self.run_json(pipeline)
        self.assertEqual(self.here("out"), ["out/other/mine.csv", "out/rows/00001.csv"])

    def test_files_copied_as_they_are_are_one_read_of_the_folder(self):
        pipeline = self.pipeline("""
name: follow
nodes:
  - {use: files, with: {path: "in/*.csv", stream: rows}}
  - {use: files, id: out, with: {path: "out/{key}", mirror: true, deletes: {max: 1}}}
""", "follow")
        for name in ("a", "b", "c"):
            self.csv(f"in/{name}.csv", [1])
        self.run_json(pipeline)
        (self.folder / "in/b.csv").unlink()
        self.run_json(pipeline)
        self.assertEqual([name.split("/")[-1] for name in self.here("out")], ["a.csv", "c.csv"])
        said = self.patchbay("run", pipeline, "--limit", "1")
        self.assertEqual(said.code, 2, said)

    def test_past_the_limit_nothing_is_committed(self):
        pipeline = self.publish()
        self.csv("in/a.csv", [1, 2])
        self.run_json(pipeline)
        before = {name: (self.folder / name).stat().st_mtime_ns for name in self.here("out")}
        self.csv("in/a.csv", [1])
        result = self.patchbay("run", pipeline)
        self.assertIn("has 2 objects, and this read would remove 1, which is more than 20%", result.out + result.err)
        self.assertEqual({name: (self.folder / name).stat().st_mtime_ns for name in self.here("out")}, before)


if __name__ == "__main__":
    main()
