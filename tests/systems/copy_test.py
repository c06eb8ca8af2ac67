"""copy: a pipeline without a file."""

import json

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

    def test_print_shows_a_pipeline_that_does_the_same(self):
        self.write("a.csv", "id\n1\n")
        text = self.copy("a.csv", "x.db", "--print").out
        self.assertFalse((self.folder / "x.db").exists())
        self.run_json(self.pipeline(text))
        self.assertEqual(self.rows("SELECT id FROM a", "x.db"), [(1,)])

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
