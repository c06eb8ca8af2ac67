"""Memory is bounded by configuration, not by data: several times as much takes no more of it."""

from gcs_case import GcsTest
from harness import Server, SystemTest, main

REVIEWS = """
commit: {{rows: 2000}}
nodes:
  - use: qreviews
    with: {{base_url: "{url}", account_sid: {{secret: sid}}, api_key: {{secret: key}}}}
  - use: sqlite
    with: {{path: "{name}.db"}}
"""
FILES = """
nodes:
  - use: files
    with: {{path: "{name}.csv"}}
  - use: csv.decode
  - {{use: csv.encode, id: encode}}
  - {{use: files, id: out, with: {{path: "{name}.out"}}}}
"""
NARROW = """
nodes:
  - use: files
    with: {{path: "{name}.csv"}}
  - use: csv.decode
  - use: fields
    with: {{keep: [id]}}
  - use: sqlite
    with: {{path: "{name}.db"}}
"""
REJECTS = """
name: refused
rejects: {max: 40000}
nodes:
  - {use: files, with: {path: refused.csv}}
  - {use: csv.decode, with: {types: {id: int64}}}
  - {use: sqlite, with: {path: refused.db}}
"""
MIB = 1024  # as the kernel counts, in KiB


class MemoryTest(SystemTest):
    def assert_bounded(self, small, large, queues):
        """`queues`: MiB that the edges between the nodes may hold, which little data does not fill."""
        self.assertLess(large, small + queues * MIB, f"{small} KiB, then {large} KiB")
        self.assertLess(large, 96 * MIB)

    def test_of_a_source_over_http(self):
        peaks = []
        for count in (4000, 16000):
            server = Server("qreviews/server.py", self.folder, "--records", count, "--prerendered")
            self.addCleanup(server.stop)
            name = f"r{count}"
            peaks.append(self.peak("run", self.pipeline(REVIEWS.format(url=server.url, name=name), name)))
            self.assertEqual(self.rows("SELECT count(*) FROM responses", f"{name}.db"), [(count,)])
        self.assert_bounded(*peaks, queues=16)

    def test_of_files(self):
        peaks = []
        for count in (400_000, 2_400_000):
            name = f"f{count}"
            with open(self.folder / f"{name}.csv", "w", encoding="utf-8") as out:
                out.write("id,text\n")  # and line by line: a child begins with what its parent has in memory
                out.writelines(f"{i},some text that takes its place {i}\n" for i in range(count))
            peaks.append(self.peak("run", self.pipeline(FILES.format(name=name), name)))
            self.assertEqual((self.folder / f"{name}.out").stat().st_size, (self.folder / f"{name}.csv").stat().st_size)
        self.assert_bounded(*peaks, queues=32)

    def test_of_columns_that_are_left_out(self):
        peaks, pad = [], "x" * 1000
        for count in (20_000, 150_000):
            name = f"n{count}"
            with open(self.folder / f"{name}.csv", "w", encoding="utf-8") as out:
                out.write("id,pad\n")
                out.writelines(f"{i},{pad}\n" for i in range(count))
            peaks.append(self.peak("run", self.pipeline(NARROW.format(name=name), name)))
            self.assertEqual(self.rows(f"SELECT count(*) FROM {name}", f"{name}.db"), [(count,)])
        self.assert_bounded(*peaks, queues=32)

    def test_of_a_long_list_of_rejects(self):
        with open(self.folder / "refused.csv", "w", encoding="utf-8") as out:
            out.write("id,text\n")
            out.writelines(f"x{i},some text that takes its place {i}\n" for i in range(40_000))
        self.assertEqual(self.run_json(self.pipeline(REJECTS)).stream["rows_rejected"], 40_000)
        for arguments in (["list", "refused"], ["list", "refused", "--output", "json"], ["export", "refused"]):
            with self.subTest(arguments):
                self.assertLess(self.peak("rejects", *arguments), 40 * MIB)


class GcsMemoryTest(GcsTest):
    chunk_size = 8 << 20

    def test_of_one_large_object(self):
        self.put("big", 200 << 20, seed=5)
        for make, path in ((self.download, "big"), (self.upload, "out/big")):
            self.assertLess(self.peak("run", make(path)), 96 * MIB)
        self.assertEqual(self.objects()["out/big"]["crc32c"], self.objects()["big"]["crc32c"])


if __name__ == "__main__":
    main()
