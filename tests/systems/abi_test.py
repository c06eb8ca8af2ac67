"""Plugins built from the header of an earlier ABI run through this host."""

import json

from harness import BUILD, SystemTest, main


class AbiTest(SystemTest):
    def test_a_pipeline_of_1_0_rc1(self):
        pipeline = self.pipeline(f"""
commit: {{rows: 4}}
nodes:
  - use: frozen_c
    with: {{rows: 10}}
  - id: pass
    use: frozen_cpp.pass
  - use: frozen_cpp.tally
    with: {{folder: {self.folder / 'out'}}}
""")
        (self.folder / "out").mkdir()
        where = ("--plugin-dir", BUILD / "tests/plugins")
        report = self.run_json(pipeline, *where)
        self.assertEqual((report.stream["rows_read"], report.stream["rows_written"]), (10, 10), report)
        files = [path.read_text().strip() for path in (self.folder / "out").iterdir()]
        self.assertEqual(sorted(files), ["2", "4", "4"])
        state = self.patchbay("state", "show", "pipeline", "--output", "json", *where)
        self.assertEqual(list(json.loads(state.out)["streams"].values()), [10])
        self.assertEqual(self.run_json(pipeline, *where).stream["rows_read"], 0)

    def test_a_sink_that_lacks_a_function_is_refused_by_name(self):
        result = self.patchbay("--plugin-dir", BUILD / "tests/plugins", "plugins", "verify", "half_sink")
        self.assertEqual((result.code, "half_sink: component broken lacks a required function" in result.out), (3, True), result)


if __name__ == "__main__":
    main()
