"""BigQuery, cut off at every 10th of a transfer: nothing is lost or doubled."""

import json

from harness import Proxy, Server, SystemTest, main

ROWS = 6000
FAST = "retry: {attempts: 4, delay: 1ms}"


class CutTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(self.bq.stop)
        self.environment["PATCHBAY_SECRET_BQ"] = json.dumps(self.bq.get("/_control/credentials"))
        self.proxy = Proxy(self.folder, self.bq.port)
        self.addCleanup(self.proxy.stop)
        (self.folder / "t.csv").write_text("id,pad\n" + "".join(f"{i},{'x' * 60}\n" for i in range(1, ROWS + 1)))

    def node(self, more, port):
        return f'{{use: bq, with: {{endpoint: "http://127.0.0.1:{port}", project: demo, dataset: d, credentials: {{secret: bq}}{more}}}}}'

    def load(self, more="", port=None):
        return self.pipeline(f"""
name: load
{FAST}
commit: {{rows: 2000}}
nodes:
  - {{use: files, with: {{path: t.csv}}}}
  - use: csv.decode
  - {self.node(more, port or self.proxy.port)}
""", "load")

    def back(self):
        return self.pipeline(f"""
name: back
{FAST}
nodes:
  - {self.node(", tables: {t: t}", self.proxy.port)}
  - {{use: csv.encode}}
  - {{use: files, id: out, with: {{path: "out/{{key}}"}}}}
""", "back")

    def table_is_whole(self):
        ids = [row["id"] for row in self.bq.get("/_control/tables/demo/d/t")]
        self.assertEqual((len(ids), len(set(ids)), sum(ids)), (ROWS, ROWS, ROWS * (ROWS + 1) // 2))
        self.assertEqual([t["table"] for t in self.bq.get("/_control/tables") if "_patchbay" in t["table"]], [])

    def file_is_whole(self):
        self.assertEqual(len(set((self.folder / "out/t.csv").read_text().splitlines())), ROWS + 1)
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["t.csv"])

    def cut_everywhere(self, pipeline, direction, do, whole, before=lambda: None):
        before()
        self.run_json(pipeline, "--full-refresh")
        total = self.proxy.total()[direction]
        whole()
        for tenth in range(10):
            with self.subTest(direction=direction, do=do, tenth=tenth):
                before()
                self.proxy.reset()
                self.proxy.rules({"do": do, "direction": direction, "of": "all", "after": max(1, total * tenth // 10)})
                self.run_json(pipeline, "--full-refresh")
                self.assertTrue(any(c["fault"] for c in self.proxy.connections()))
                whole()

    def empty(self):
        self.bq.post("/_control/reset", {})

    def test_a_cut_at_every_tenth_of_what_a_sink_sends(self):
        self.cut_everywhere(self.load(", write: replace"), "up", "cut", self.table_is_whole)

    def test_a_reset_at_every_tenth_of_what_a_sink_hears(self):
        self.cut_everywhere(self.load(), "down", "reset", self.table_is_whole, self.empty)

    def test_a_cut_at_every_tenth_of_what_a_source_reads(self):
        self.run_json(self.load(port=self.bq.port))
        self.cut_everywhere(self.back(), "down", "cut", self.file_is_whole)


if __name__ == "__main__":
    main()
