"""CSV, JSON and compressed files as other programs write them, and files that are broken."""

import csv
import gzip
import io
import json
import os
import random
import subprocess

from harness import SystemTest, main
from postgres_server import PASSWORD, Postgres

PARTS = ["a", ",", '"', "\n", "\r", "\\", "é", " ", "\t", "NULL", "1", "'"]


def random_rows(seed, rows, columns, none):
    source = random.Random(seed)
    cell = lambda: None if none and source.random() < 0.2 else "".join(source.choices(PARTS, k=source.randrange(5)))
    return [[cell() for _ in range(columns)] for _ in range(rows)]


class FormatsTest(SystemTest):
    def write(self, name, data):
        (self.folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    def read(self, name):
        return (self.folder / name).read_bytes().decode()

    def copy(self, *arguments, code=0):
        result = self.patchbay("copy", *arguments)
        self.assertEqual(result.code, code, result)
        return result

    def decoded(self, name, *settings):
        """The file's rows, as lists of texts and None."""
        self.copy(name, "out.jsonl", "--set", "decode.guess=false", *settings)
        lines = self.read("out.jsonl").split("\n")[:-1]
        return [list(json.loads(line).values()) for line in lines]

    def test_reads_what_pythons_csv_module_writes(self):
        for seed, (dialect, settings) in enumerate([
                ({}, []), ({"quoting": csv.QUOTE_ALL}, []), ({"lineterminator": "\n", "delimiter": "|"}, ["--set", "decode.delimiter=|"]),
                ({"escapechar": "\\", "doublequote": False, "quoting": csv.QUOTE_ALL}, ["--set", "decode.escape=\\"]), ({"delimiter": ";", "lineterminator": "\n"}, ["--set", "decode.delimiter=;"])]):
            with self.subTest(dialect):
                rows = random_rows(seed, 300, 3, none=False)
                if "lineterminator" in dialect:  # then Python leaves a CR without quotes
                    rows = [[value.replace("\r", "") for value in row] for row in rows]
                text = io.StringIO(newline="")
                csv.writer(text, **dialect).writerows([["x", "y", "z"]] + rows)
                self.write("a.csv", text.getvalue())
                # Python writes None and "" alike; only QUOTE_ALL tells that they are texts.
                expected = [[v if v or dialect.get("quoting") else None for v in row] for row in rows]
                self.assertEqual(self.decoded("a.csv", *settings), expected)

    def test_pythons_csv_module_reads_what_is_written(self):
        rows = random_rows(7, 500, 3, none=False)
        self.write("a.jsonl", "".join(json.dumps(dict(zip("xyz", row))) + "\n" for row in rows))
        for settings, dialect in [([], {}), (["--set", "encode.newline=crlf"], {}), (["--set", "encode.delimiter=|"], {"delimiter": "|"}),
                                  (["--set", "encode.escape=\\"], {"escapechar": "\\", "doublequote": False})]:
            with self.subTest(settings):
                self.copy("a.jsonl", "b.csv", *settings)
                self.assertEqual(list(csv.reader(io.StringIO(self.read("b.csv"), newline=""), **dialect)), [["x", "y", "z"]] + rows)

    def test_rows_of_several_streams_that_become_files_are_counted_apart(self):
        self.write("a.csv", "x\n1\n2\n")
        self.write("b.csv", "x\n1\n2\n3\n")
        self.copy("a.csv", "out.db")
        self.copy("b.csv", "out.db")
        result = self.run_json(self.pipeline("""
nodes:
  - {use: sqlite, with: {path: out.db, tables: {a: a, b: b}}}
  - use: csv.encode
  - {use: files, with: {path: "{stream}_again.csv"}}
"""))
        streams = [(one["stream"], one["rows_read"], one["rows_written"]) for one in result.json["streams"]]
        self.assertEqual(streams, [("a", 2, 2), ("b", 3, 3)])
        self.assertEqual((self.read("a_again.csv"), self.read("b_again.csv")), (self.read("a.csv"), self.read("b.csv")))

    def test_reads_and_writes_the_csv_of_postgresql(self):
        server = Postgres()
        self.addCleanup(server.stop)
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD}

        def psql(command, data=None):
            return subprocess.run([server.bin / "psql", server.uri, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", command], input=data,
                                  capture_output=True, check=True, env=environment).stdout

        rows = random_rows(3, 400, 3, none=True)
        self.write("a.jsonl", "".join(json.dumps(dict(zip("xyz", row))) + "\n" for row in rows))
        self.copy("a.jsonl", "b.csv")
        psql("CREATE TABLE t (x text, y text, z text)")
        psql("COPY t FROM STDIN (FORMAT csv, HEADER)", (self.folder / "b.csv").read_bytes())
        self.assertEqual([json.loads(line) for line in psql("SELECT json_build_array(x, y, z) FROM t").decode().split("\n")[:-1]], rows)
        self.write("c.csv", psql("COPY t TO STDOUT (FORMAT csv, HEADER)"))
        self.assertEqual(self.decoded("c.csv"), rows)
        self.write("d.csv", psql("COPY t TO STDOUT (FORMAT csv, HEADER, NULL 'NULL', ESCAPE '\\')"))
        self.assertEqual(self.decoded("d.csv", "--set", "decode.escape=\\", "--set", "decode.null=NULL"), rows)

    def test_broken_files_fail_with_file_and_line_and_leave_nothing(self):
        cases = [
            ("cut.csv", 'a,b\n1,"x\n', 7, "cut.csv: line 2: a quote in the record that begins here is never closed"),
            ("swapped.csv", gzip.compress(b"a,b\n1,2\n" * 50), 7, "swapped.csv: line 1: the header is no UTF-8 text"),
            ("twice.csv", "a,a\n1,2\n", 7, "twice.csv: two columns are called a"),
            ("long.csv", "a\n" + "x" * (17 << 20), 7, "long.csv: line 2: a record of more than 16777216 bytes"),
            ("latin.csv", "a,b\n1,\xe9\n".encode("latin1"), 6, "the text is no UTF-8"),
            ("ragged.csv", "a,b\n1\n", 6, "1 fields where there are 2 columns"),
            ("wide.csv", "a,b\n1,2\n", 3, "types: wide.csv has no column c", "--set", 'decode.types={"c": "int64"}'),
            ("odd.csv", b"\xff\xfea\x00\n\x00b", 7, "odd.csv: line 2: bytes that are no utf-16le at the end"),
            ("cut.json", '[{"a": 1},\n{"a": ', 7, "cut.json: line 2: the file is cut"),
            ("long.jsonl", '{"a": "' + "x" * (17 << 20) + '"}\n', 7, "long.jsonl: line 1: a record of more than 16777216 bytes"),
            ("no.json", '"text"', 7, "no.json: line 1: should be a list of records"),
            ("cut.jsonl", '{"a": 1}\n{"a"', 7, "cut.jsonl: line 2: the file is cut"),
            ("bad.jsonl", b'{"a": "\xff"}\n{"a": "b"}\n', 6, "is no JSON"),
        ]
        for name, data, code, message, *settings in cases:
            with self.subTest(name):
                self.write(name, data)
                target = "out.jsonl" if name.endswith("csv") else "out.csv"
                result = self.copy(name, target, *settings, code=code)
                self.assertIn(message, str(result))
                self.assertNotIn("\xe9", str(result))
                self.assertEqual([p.name for p in self.folder.glob("*out.*")], [])

    def test_values_that_a_declared_type_does_not_hold_are_told_with_their_line(self):
        number, other = "found a number that it can't hold", "found other text"
        for type_, value, found in [
                ("int32", "99999999999", number), ("int64", "9223372036854775808", number), ("uint8", "-1", number), ("int32", "1.5", number),
                ("decimal128(8, 3)", "123456.5", number), ("decimal128(8, 3)", "1.2345", number), ("int32", "12 apples", other),
                ("date32", "0000-00-00", other), ("date32", "2024-02-30", other), ("timestamp[us]", "0000-00-00 00:00:00", other)]:
            with self.subTest(type_, value=value):
                self.write("bad.csv", f"a,v\n1,\n2,{value}\n")
                result = self.copy("bad.csv", "out.jsonl", "--set", f'decode.types={{"v": "{type_}"}}', code=6)
                self.assertIn(f"bad.csv, line 3: v: expected {type_}, {found}; see", str(result))
                if len(value) > 5:
                    self.assertNotIn(value, str(result))
                self.assertEqual([p.name for p in self.folder.glob("*out.*")], [])

    def test_options_that_can_not_be(self):
        self.write("a.csv", "a,b\n1,2\n")
        for setting, message in [("decode.delimiter=;;", "delimiter: must be one ASCII character"), ("decode.delimiter=long one", "delimiter: must have at most 4"),
                                 ("decode.encoding=utf-9", "encoding: utf-9 is not known"), ("decode.quote=,", "quote: must differ from delimiter"),
                                 ("wrap.level=12", "level: must be at most 9")]:
            with self.subTest(setting):
                self.assertIn(message, str(self.copy("a.csv", "a.jsonl.gz", "--set", setting, code=3)))

    def test_header_only_and_empty_files(self):
        self.write("a.csv", "x,y\n")
        self.copy("a.csv", "a.db")
        self.assertEqual(self.rows("SELECT x, y FROM a", "a.db"), [])
        self.write("b.csv", "")
        self.assertIn("b.csv: is empty: it has no header", self.copy("b.csv", "b.db").err)
        self.write("b.jsonl", "")
        self.copy("b.jsonl", "b.db")

    def test_a_bomb_is_refused_in_bounded_memory(self):
        self.write("bomb.csv.gz", gzip.compress(b"a\n" + b"0" * (70 << 20)))
        for target in ("bomb.csv", "bomb.db"):
            result = self.copy("bomb.csv.gz", target, code=7)
        self.assertIn("bytes", str(result))
        self.assertEqual([p.name for p in self.folder.glob("*bomb.csv") if p.stat().st_size], [])


if __name__ == "__main__":
    main()
