"""Parquet files as files: row groups, parts, damage, encryption, memory."""

import base64
import decimal
import os
import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet import encryption

from harness import BUILD, main
from parquet_case import ParquetCase

D = decimal.Decimal
SANITIZED = BUILD.name in ("asan", "tsan")


class ParquetFilesTest(ParquetCase):
    def test_row_groups_and_parts_are_bounded(self):
        table = pa.table({"id": range(10_000), "text": ["x" * 100] * 10_000})
        self.assertEqual(self.through(table, encode="row_group_rows: 3000"), table)
        metadata = pq.ParquetFile(self.written()).metadata
        self.assertEqual([metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)], [3000, 3000, 3000, 1000])
        self.run_json(self.pipe(encode='key: "{stream}/{part}.parquet", part_rows: 4000'))
        parts = sorted((self.folder / "out/t").iterdir())
        self.assertEqual([part.name for part in parts], ["00001.parquet", "00002.parquet", "00003.parquet"])
        self.assertEqual([pq.ParquetFile(part).metadata.num_rows for part in parts], [4000, 4000, 2000])
        self.assertEqual(pa.concat_tables(pq.read_table(part) for part in parts), table)
        self.assertIn("key: must have {part} in it", str(self.patchbay("run", self.pipe(encode="part_rows: 4000"))))

    def test_files_of_one_stream_may_be_narrower_or_lack_columns(self):
        self.put(pa.table({"id": pa.array([1], pa.int64()), "x": [0.5], "d": pa.array([D("1.5")], pa.decimal128(10, 2))}), "a.parquet")
        self.put(pa.table({"x": pa.array([2], pa.float32()), "id": pa.array([2], pa.int16())}), "b.parquet")
        self.run_json(self.pipe())
        self.assertEqual(pq.read_table(self.written()).to_pylist(),
                         [{"id": 1, "x": 0.5, "d": D("1.50")}, {"id": 2, "x": 2.0, "d": None}])

    def test_files_of_one_stream_that_do_not_go_together_are_told_apart(self):
        self.put(pa.table({"id": [1]}), "a.parquet")
        for table, word in ((pa.table({"id": ["x"]}), "id"), (pa.table({"id": [1], "more": [2]}), "more")):
            with self.subTest(word):
                self.put(table, "b.parquet")
                result = self.patchbay("run", self.pipe())
                self.assertEqual(result.code, 9, result)
                self.assertIn("b.parquet", result.err + result.out)
                self.assertIn(f"column {word}", result.err + result.out)

    def test_what_is_no_parquet_file_is_told_why(self):
        self.put(pa.table({"id": range(1000)}))
        path = self.folder / "in/a.parquet"
        whole = path.read_bytes()
        footer = int.from_bytes(whole[-8:-4], "little")
        cases = [
            (b"", "a.parquet: is empty"),
            (b"id,name\n1,ada\n", "a.parquet: is no Parquet file: it does not begin with PAR1"),
            (b"PARE" + whole[4:-4] + b"PARE", "a.parquet: is encrypted"),
            (whole[:-1], "a.parquet: is cut off"),
            (whole[:100], "a.parquet: is cut off"),
            (b"PAR1", "a.parquet: is cut off"),
            (whole[:-8] + (2**31).to_bytes(4, "little") + b"PAR1", "a.parquet: is damaged: its footer would have"),
            (whole[:-8 - footer] + bytes(footer) + whole[-8:], "a.parquet: is damaged"),
            (whole[:4] + bytes(len(whole) - footer - 12) + whole[-8 - footer:], "a.parquet: is damaged"),
            (whole[:200] + whole[-8 - footer:], "a.parquet: is damaged"),
        ]
        for content, message in cases:
            with self.subTest(message, size=len(content)):
                path.write_bytes(content)
                self.fails(7, message)

    def test_encrypted_columns_are_told_and_can_be_left_out(self):
        class Keys(encryption.KmsClient):
            def wrap_key(self, key_bytes, _):
                return base64.b64encode(key_bytes)

        config = encryption.EncryptionConfiguration(footer_key="f", column_keys={"c": ["id"]}, plaintext_footer=True, double_wrapping=False)
        factory = encryption.CryptoFactory(lambda _: Keys())
        properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
        self.put(pa.table({"id": [1], "open": [2]}), encryption_properties=properties)
        self.fails(7, "a.parquet: has encrypted columns")
        self.run_json(self.pipe("columns: [open]"))
        self.assertEqual(pq.read_table(self.written()).to_pylist(), [{"open": 2}])

    def test_json_columns_hold_json(self):
        self.put(pa.table({"j": pa.array(['{"a": 1}', "{", None], pa.json_())}))
        self.run_json(self.pipe(rejects=1))
        self.assertEqual(self.rejects(), [(2, "j: text that is no JSON")])
        self.assertEqual(pq.read_table(self.written())["j"].to_pylist(), ['{"a": 1}', None])

    def test_larger_files_go_through_the_spool_folder(self):
        rng = random.Random(1)
        table = pa.table({"id": range(200_000), "noise": [rng.getrandbits(60) for _ in range(200_000)]})
        self.assertEqual(self.through(table, decode="spool_memory: 4096", row_group_size=50_000), table)
        self.written().unlink()
        self.fails(3, "spool_folder: /nonexistent: cannot be used: No such file", decode="spool_memory: 4096, spool_folder: /nonexistent")

    def test_a_full_spool_folder_is_temporary(self):
        folder = self.small_disk("spool", "1M")
        self.put(pa.table({"noise": [os.urandom(1000) for _ in range(2000)]}), compression="none")
        self.fails(5, f"spool_folder: {folder}: the disk is full; in/a.parquet must lie there whole", "Make room and run again",
                   decode=f"spool_memory: 0, spool_folder: {folder}")
        self.assertEqual(list(folder.iterdir()), [])

    def test_memory_is_bounded_by_row_groups(self):
        rows = 4_000
        writer = pq.ParquetWriter(self.folder / "big.parquet", pa.schema([("id", pa.int64()), ("text", pa.string())]))
        for group in range(60):
            writer.write_table(pa.table({"id": range(rows), "text": [f"{group} {i * 7919:01000d}" for i in range(rows)]}))
        writer.close()
        pipeline = self.pipe("spool_memory: 0", "row_group_bytes: 4194304", path="big.parquet")
        # Through a small process, because this one's own size would count as the child's.
        measure = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=sys.stderr);"
                   "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)")
        done = subprocess.run([sys.executable, "-c", measure, str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline],
                              cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=True)
        code, megabytes = map(int, done.stdout.split())
        self.assertEqual(code, 0, done.stderr)
        self.assertEqual(pq.ParquetFile(self.written()).metadata.num_rows, 60 * rows)
        if not SANITIZED:
            self.assertLess(megabytes, 200)  # of 240 MB of text

    def test_copy_knows_the_endings(self):
        (self.folder / "orders.csv").write_text("id,name\n1,a\n2,\n")
        for command in (("orders.csv", "orders.parquet"), ("orders.parquet", "o.db"), ("orders.parquet", "back.csv"), ("orders.parquet", "orders.pq")):
            result = self.patchbay("copy", *command)
            self.assertEqual(result.code, 0, result)
        self.assertEqual(pq.read_table(self.folder / "orders.parquet").to_pylist(), [{"id": 1, "name": "a"}, {"id": 2, "name": None}])
        self.assertEqual(self.rows("SELECT * FROM orders", "o.db"), [(1, "a"), (2, None)])
        self.assertEqual((self.folder / "back.csv").read_text(), "id,name\n1,a\n2,\n")
        self.assertEqual((self.folder / "orders.pq").read_bytes(), (self.folder / "orders.parquet").read_bytes())


if __name__ == "__main__":
    main()
