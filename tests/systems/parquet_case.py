"""What the tests of Parquet share: files in, through a pipeline, files out."""

import json

import pyarrow.parquet as pq

from operations import OperationsTest


class ParquetCase(OperationsTest):
    def pipe(self, decode="", encode="", path="in/*.parquet", rejects=0, middle=""):
        return self.pipeline(f"""
name: pipe
rejects: {{max: {rejects}}}
nodes:
  - use: files
    with: {{path: "{path}", stream: t}}
  - {{id: decode, use: parquet.decode, with: {{{decode}}}}}{middle}
  - {{id: encode, use: parquet.encode, with: {{{encode}}}}}
  - {{id: out, use: files, with: {{path: "out/{{key}}"}}}}
""")

    def put(self, table, name="a.parquet", **options):
        (self.folder / "in").mkdir(exist_ok=True)
        pq.write_table(table, self.folder / "in" / name, **options)

    def written(self, name="t.parquet"):
        return self.folder / "out" / name

    def through(self, table, decode="", encode="", **options):
        self.put(table, **options)
        self.run_json(self.pipe(decode, encode))
        return pq.read_table(self.written())

    def fails(self, code, *words, decode="", **options):
        result = self.patchbay("run", self.pipe(decode, **options))
        self.assertEqual(result.code, code, result)
        for word in words:
            self.assertIn(word, result.err + result.out)
        self.assertFalse(self.written().exists())

    def rejects(self):
        listed = self.patchbay("rejects", "list", "pipe", "--output", "json").json
        return [(reject["position"]["row"], reject["reason"]) for reject in listed]
