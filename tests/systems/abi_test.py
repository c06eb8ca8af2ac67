"""Plugins built from the header of an earlier ABI run through this host."""

import json
import shutil

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

    def rc2(self, *options, code=0, **sink):
        (self.folder / "out").mkdir(exist_ok=True)
        config = json.dumps({"folder": str(self.folder / "out"), **sink})
        pipeline = self.pipeline(f"""
retry: {{attempts: 1}}
nodes:
  - use: frozen_rc2_c
    with: {{rows: 10, heard: {self.folder}/heard.txt}}
  - {{use: frozen_rc2_cpp, with: {config}}}
""")
        return self.run_json(pipeline, "--plugin-dir", BUILD / "tests/plugins", *options, code=code)

    def tallied(self):
        return sorted(path.read_text() for path in (self.folder / "out").iterdir() if not path.name.startswith("."))

    def test_a_pipeline_of_1_0_rc2(self):
        report = self.rc2()
        self.assertEqual((report.stream["rows_read"], report.stream["rows_written"], report.json["guarantee"]), (20, 20, "exactly_once"), report)
        self.assertEqual(self.tallied(), ["10\n", "10\n"])
        self.assertEqual(self.rc2().stream["rows_read"], 0)

    def test_what_1_0_rc2_hears_and_answers(self):
        self.assertIn("takes no more", str(self.rc2(code=7, refuses=True).stream["error"]))
        self.assertEqual(sorted((self.folder / "heard.txt").read_text().splitlines()), ["1 refused: -6", "11 refused: -6"])
        shutil.copytree(self.folder / "state", self.folder / "kept")
        self.rc2()
        shutil.rmtree(self.folder / "state")
        shutil.move(self.folder / "kept", self.folder / "state")
        self.assertIn("the state is older than what it describes", self.rc2(code=3).json["error"]["message"])
        self.assertEqual(self.tallied(), ["10\n", "10\n"])

    def test_prepared_rows_of_1_0_rc2_are_asked_for(self):
        self.rc2(code=7, refuses=True)
        killed = self.patchbay("run", self.folder / "pipeline.yaml", "--plugin-dir", BUILD / "tests/plugins", env={"PATCHBAY_FAULT": "state.record.after:1"})
        self.assertEqual(killed.code, -9, killed)
        self.patchbay("state", "discard", "pipeline")
        self.rc2()
        self.assertEqual(self.tallied(), ["10\n", "10\n"])

    def test_a_sink_that_lacks_a_function_is_refused_by_name(self):
        result = self.patchbay("--plugin-dir", BUILD / "tests/plugins", "plugins", "verify", "half_sink")
        self.assertEqual((result.code, "half_sink: component broken lacks a required function" in result.out), (3, True), result)


if __name__ == "__main__":
    main()
