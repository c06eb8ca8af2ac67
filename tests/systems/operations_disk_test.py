"""A full disk, wherever it is met: said clearly; once there is room, a run completes with every row once."""

import csv
import subprocess

from harness import main
from operations import QUICK, OperationsTest

FULL = "the disk is full"
# Bytes that are left; each stops the run at another step.
LEFT = [0, 4096, 12288, 32768, 65536, 131072, 200704, *range(212992, 409600, 16384), 524288]


class DiskTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()

    def text(self, sink, top=QUICK + "\ncommit: {rows: 100}"):
        return self.reviews(top, page_size=100) if sink == "sqlite" else self.pipeline(f"""
name: reviews
{top}
nodes:
  - use: qreviews
    with: {{base_url: "{self.server.url}", account_sid: {{secret: sid}}, api_key: {{secret: key}}, page_size: 100}}
  - use: csv.encode
  - use: files
    with: {{path: "out/${{run.id}}.csv"}}
""", "reviews")

    def assert_full(self, result, note):
        self.assertEqual(result.code, 5, f"{note}: {result}")
        self.assertIn(FULL, result.out + result.err, note)
        self.assertIn("ake room and run again", result.out + result.err, note)
        self.assertEqual(result.json["outcome"], "failed", note)

    def rounds(self, folder, pipeline, again):
        """Runs on a disk with less and less filled up, until one finds enough room."""
        failures = reported = 0
        for left in LEFT:
            ballast = self.fill(folder, left)
            result = self.patchbay("run", pipeline, "--output", "json")
            ballast.unlink()
            if result.code == 0:
                break
            failures += 1
            self.assert_full(result, f"{left} bytes left")
            reported += "streams" in result.json
            if again:
                again(f"{left} bytes left")
        self.assertGreater(failures, 2)
        self.assertGreater(reported, 1, "a run that began prints its report")

    def test_of_the_state(self):
        state = self.small_disk("state", "8M")
        pipeline = self.text("sqlite")
        self.rounds(state, pipeline, None)
        self.complete(pipeline)

    def test_of_the_state_each_time_anew(self):
        state = self.small_disk("state", "8M")
        pipeline = self.text("sqlite")

        def again(note):
            self.complete(pipeline, note)
            for file in [*state.rglob("*.*"), *self.folder.glob("out.db*")]:
                file.unlink()
        self.rounds(state, pipeline, again)

    def test_of_a_database(self):
        disk = self.small_disk("disk", "8M")
        (self.folder / "out.db").symlink_to(disk / "out.db")
        pipeline = self.text("sqlite")
        self.rounds(disk, pipeline, None)
        self.complete(pipeline)

    def test_of_files(self):
        out = self.small_disk("out", "2M")
        pipeline = self.text("files")
        self.rounds(out, pipeline, None)
        self.assertEqual(self.patchbay("run", pipeline).code, 0)
        found = []
        for file in sorted(out.glob("*.csv")):
            with open(file, newline="", encoding="utf-8") as text:
                found += [int(row["sequence"]) for row in csv.DictReader(text)]
        self.assertEqual(sorted(found), self.expected)
        self.assertEqual([file.name for file in out.iterdir() if file.name.startswith(".")], [])

    def test_of_what_a_query_spills(self):
        disk = self.small_disk("disk", "8M")
        (self.folder / "one.csv").write_text("id\n1\n")
        pipeline = self.pipeline("""
name: reviews
retry: {attempts: 2, delay: 1ms}
nodes:
  - {use: files, id: one, with: {path: one.csv}}
  - use: csv.decode
  - use: sql
    with:
      memory_limit: 32MiB
      spill_directory: disk
      query: SELECT count(*) AS n FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS place FROM one, range(2000000) r(i)) WHERE place > 10
      stream: counted
  - {use: sqlite, with: {path: out.db}}
""", "reviews")
        self.assert_full(self.patchbay("run", pipeline, "--output", "json"), "while the query runs")
        self.assertEqual(list(disk.iterdir()), [])
        subprocess.run(["mount", "-o", "remount,size=1G", str(disk)], check=True)
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT n FROM counted"), [(1999990,)])

    def test_of_files_that_a_query_reads(self):
        disk = self.small_disk("disk", "1M")
        (self.folder / "a.parquet").write_bytes(b"PAR1" + bytes(2 << 20))
        pipeline = self.pipeline(f"""
name: reviews
{QUICK}
nodes:
  - {{use: files, id: one, with: {{path: a.parquet}}}}
  - {{use: sql, with: {{spill_directory: disk, files: parquet, query: SELECT count(*) AS n FROM one, stream: counted}}}}
  - {{use: sqlite, with: {{path: out.db}}}}
""", "reviews")
        self.assert_full(self.patchbay("run", pipeline, "--output", "json"), "while the file comes in")
        self.assertEqual(list(disk.iterdir()), [])


if __name__ == "__main__":
    main()
