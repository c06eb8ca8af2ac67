"""Memory is bounded by configuration, not by data: several times as much takes no more of it."""

import os
import subprocess

from harness import BUILD, Server, SystemTest, main

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
MIB = 1024  # as the kernel counts, in KiB


class MemoryTest(SystemTest):
    def peak(self, pipeline):
        """The most memory that a run had, in KiB."""
        run = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline],
                               cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        return usage.ru_maxrss

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
            peaks.append(self.peak(self.pipeline(REVIEWS.format(url=server.url, name=name), name)))
            self.assertEqual(self.rows("SELECT count(*) FROM responses", f"{name}.db"), [(count,)])
        self.assert_bounded(*peaks, queues=16)

    def test_of_files(self):
        peaks = []
        for count in (400_000, 2_400_000):
            name = f"f{count}"
            with open(self.folder / f"{name}.csv", "w", encoding="utf-8") as out:
                out.write("id,text\n")  # and line by line: a child begins with what its parent has in memory
                out.writelines(f"{i},some text that takes its place {i}\n" for i in range(count))
            peaks.append(self.peak(self.pipeline(FILES.format(name=name), name)))
            self.assertEqual((self.folder / f"{name}.out").stat().st_size, (self.folder / f"{name}.csv").stat().st_size)
        self.assert_bounded(*peaks, queues=32)


if __name__ == "__main__":
    main()
