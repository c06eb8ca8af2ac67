"""copy: a pipeline without a file."""

import gzip
import json
import sqlite3

from harness import SystemTest, main


class CopyTest(SystemTest):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name):
        return (self.folder / name).read_text()

    def copy(self, *arguments, code=0):
        result = self.patchbay("copy", *arguments)
        self.assertEqual(result.code, code, result)
        return result

    def test_from_a_file_into_a_database_and_out_again(self):
        self.write("orders.csv", "id,name\n1,a\n2,\n")
        shown = self.copy("orders.csv", "shop.db")
        self.assertIn("orders: id int64, name utf8", shown.err)
        self.assertIn("2", shown.out)
        self.assertEqual(self.rows("SELECT * FROM orders", "shop.db"), [(1, "a"), (2, None)])
        self.copy("sqlite:shop.db?table=orders", "out.jsonl")
        self.assertEqual([json.loads(line) for line in self.read("out.jsonl").splitlines()],
                         [{"id": 1, "name": "a"}, {"id": 2, "name": None}])

    def test_a_table_that_is_there_is_not_appended_to_by_the_way(self):
        self.write("a.csv", "id\n1\n")
        with sqlite3.connect(self.folder / "a.db") as database:
            database.execute("CREATE TABLE a (id INTEGER)")
        for target, code, ids in (("a.db", 0, [1]), ("a.db", 3, [1]), ("sqlite:a.db?write=append", 0, [1, 1]),
                                  ("sqlite:a.db?write=replace", 0, [1]), ("a.db", 3, [1])):
            with self.subTest(target):
                said = self.copy("a.csv", target, code=code)
                self.assertEqual([row[0] for row in self.rows("SELECT id FROM a", "a.db")], ids)
                if code:
                    self.assertIn("the table for a has rows already: say write=append", said.out + said.err)

    def test_standard_output_has_the_data_and_nothing_else(self):
        self.write("a.csv", "id\n1\n")
        pipeline = self.pipeline("name: p\nnodes:\n  - {use: files, with: {path: a.csv}}\n  - {use: files, id: out, with: {path: \"-\"}}\n")
        for output in ("text", "json"):
            result = self.patchbay("run", pipeline, "--output", output)
            self.assertEqual((result.code, result.out), (0, "id\n1\n"), result)
            self.assertIn("at_least_once", result.err)
        self.assertIn("out: writes at least once with path: -", self.patchbay("plan", pipeline).out)

    def test_money_stays_exact(self):
        self.write("a.csv", "id,price,big\n1,19.90,12345678901234567.25\n2,5,0.1\n")
        shown = self.copy("a.csv", "a.db")
        self.assertIn("price decimal128(15, 2), big decimal128(38, 2)", shown.err)
        self.assertEqual(self.rows("SELECT * FROM a", "a.db"), [(1, 19.9, "12345678901234567.25"), (2, 5.0, "0.10")])
        self.copy("a.csv", "a.jsonl")
        self.assertEqual(self.read("a.jsonl"), '{"id":1,"price":19.90,"big":"12345678901234567.25"}\n{"id":2,"price":5.00,"big":"0.10"}\n')

    def test_the_same_format_on_both_sides_is_copied_as_it_is(self):
        self.write("a.csv", "id , odd\r\n1,\"x\"\r\n")
        self.copy("a.csv", "out/")
        self.assertEqual((self.folder / "out/a.csv").read_bytes(), b"id , odd\r\n1,\"x\"\r\n")

    def test_parameters_and_settings_are_options(self):
        self.write("a.tsv", "id\tv\n1\tx\n1\ty\n")
        self.copy("a.tsv", "sqlite:o.db?table=t&write=upsert&keys=id")
        self.assertEqual(self.rows("SELECT * FROM t", "o.db"), [(1, "y")])
        self.copy("sqlite:o.db?table=t", "sqlite:p.db?table=u&write=replace")
        self.assertEqual(self.rows("SELECT * FROM u", "p.db"), [(1, "y")])
        self.write("b.csv", "id;n\n1;2\nx;3\n")
        self.copy("b.csv", "b.db", "--set", "decode.delimiter=;", "--set", 'decode.types={"id": "int64"}', "--set", "rejects.max=1")
        self.assertEqual(self.rows("SELECT * FROM b", "b.db"), [(1, 2)])

    def test_the_header_tells_the_delimiter(self):
        self.write("a.csv", "id;note\n1;x,y\n")
        told = self.copy("a.csv", "a.db").err
        self.assertEqual(self.rows("SELECT * FROM a", "a.db"), [(1, "x,y")])
        self.assertIn('a.csv: the delimiter is ";", by its header', told)
        self.assertIn("id int64, note utf8", told)
        self.copy("a.csv", "b.db", "--set", "decode.delimiter=|")
        self.assertEqual(self.rows("SELECT * FROM a", "b.db"), [("1;x,y",)])

    def test_print_shows_a_pipeline_that_does_the_same(self):
        self.write("a.csv", "id\n1\n")
        text = self.copy("a.csv", "x.db", "--print").out
        self.assertFalse((self.folder / "x.db").exists())
        self.run_json(self.pipeline(text))
        self.assertEqual(self.rows("SELECT id FROM a", "x.db"), [(1,)])

    def test_wrappers_come_off_and_go_on_by_their_endings(self):
        text = "id,name\n" + "".join(f"{i},name {i}\n" for i in range(50000))
        self.write("orders.csv", text)
        (self.folder / "p.csv.gz").write_bytes(gzip.compress(text[:1000].encode()) + gzip.compress(text[1000:].encode()))
        for source, target in [("p.csv.gz", "plain.csv"), ("plain.csv", "a.csv.zst"), ("a.csv.zst", "b.csv.gz"),
                               ("b.csv.gz", "c.json.zst"), ("c.json.zst", "d.jsonl"), ("d.jsonl", "e.csv.gz.zst"),
                               ("e.csv.gz.zst", "f.csv")]:
            self.copy(source, target)
        self.assertEqual(self.read("plain.csv"), text)
        self.assertEqual(gzip.decompress((self.folder / "b.csv.gz").read_bytes()).decode(), text)
        self.assertEqual(self.read("f.csv"), text)
        self.assertNotIn("decode", self.copy("b.csv.gz", "x.csv.gz", "--print").out)
        self.assertIn("compress.decode", self.copy("b.csv.gz", "x.csv", "--print").out)

    def test_other_dialects_of_one_format_are_read_and_written(self):
        self.write("a.tsv", "id\tname\n1\tx,y\n")
        self.copy("a.tsv", "a.csv")
        self.assertEqual(self.read("a.csv"), 'id,name\n1,"x,y"\n')
        self.copy("a.csv", "b.csv", "--set", "encode.delimiter=;")
        self.assertEqual(self.read("b.csv"), "id;name\n1;x,y\n")
        self.write("a.json", '[{"id": 1}, {"id": 2}]')
        self.copy("a.json", "a.jsonl")
        self.assertEqual(self.read("a.jsonl"), '{"id":1}\n{"id":2}\n')

    def test_a_damaged_wrapper_fails_with_the_file_and_leaves_nothing(self):
        packed = gzip.compress(("id\n" + "1\n" * 500000).encode())
        damaged = bytearray(packed)
        damaged[-5] ^= 1
        cases = [("cut.csv.gz", packed[:-4], "cut.csv.gz: is cut"), ("sum.csv.gz", bytes(damaged), "sum.csv.gz: the gzip data is damaged"),
                 ("empty.csv.gz", b"", "empty.csv.gz: is empty"), ("plain.csv.gz", b"id\n1\n", "plain.csv.gz: is neither gzip nor zstd")]
        for name, data, message in cases:
            with self.subTest(name):
                (self.folder / name).write_bytes(data)
                for target in ("out.csv", "out.db"):
                    self.assertIn(message, str(self.copy(name, target, code=7)))
                    self.assertEqual([str(p) for p in self.folder.glob("out.csv*")], [])
                self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_patchbay%' ESCAPE '\\'", "out.db"), [])

    def test_formats_can_be_named(self):
        self.write("a.txt", "id\n1\n")
        self.copy("a.txt", "out.dat", "--from-format", "csv", "--to-format", "json")
        self.assertEqual(self.read("out.dat"), '{"id":1}\n')

    def test_what_is_wrong_is_said(self):
        self.write("a.csv", "id\n1\n")
        cases = [
            (("a.csv", "x"), 2, "the ending of x tells no format; say which with --to-format"),
            (("a.csv", "sqlit:x.db"), 2, "no plugin takes sqlit: addresses, did you mean sqlite?"),
            (("a.csv", "sqlite:x.db?tabel=y"), 2, "sqlite has no option tabel, did you mean table?"),
            (("a.csv", "x.db", "--from-format", "csvv"), 2, "there is no format csvv, did you mean csv?"),
            (("a.csv",), 2, "copy"),
            (("a.csv", "x.db", "--set", "to.wriet=append"), 3, "wriet"),
            (("nosuch.csv", "x.db"), 7, "nosuch.csv is not there"),
        ]
        for arguments, code, message in cases:
            with self.subTest(message):
                self.assertIn(message, str(self.copy(*arguments, code=code)))


if __name__ == "__main__":
    main()
