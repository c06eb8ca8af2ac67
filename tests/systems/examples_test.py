"""Every pipeline under examples/ is valid, and those that need no cloud run."""

import json
import os
import subprocess

from harness import BUILD, SOURCE, Server, SystemTest, main


class ExamplesTest(SystemTest):
    def setUp(self):
        super().setUp()
        os.symlink(SOURCE / "examples", self.folder / "examples")
        (self.folder / "build/demo").mkdir(parents=True)

    def test_penguins(self):
        for _ in range(2):  # replacing, so a second run changes nothing
            result = self.run_json("examples/penguins.yaml")
            self.assertEqual(result.stream["rows_written"], 344)
        rows = self.rows("SELECT count(*), count(sex), sum(body_mass_g) FROM penguins", "build/demo/penguins.db")
        self.assertEqual(rows, [(344, 333, 1437000.0)])

    def test_surveys_into_bigquery(self):
        source = Server("qreviews/server.py", self.folder, "--records", 50)
        self.addCleanup(source.stop)
        bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(bq.stop)
        self.environment.update(PATCHBAY_SECRET_QREVIEWS_ACCOUNT_SID="demo-sid", PATCHBAY_SECRET_QREVIEWS_API_KEY="demo-key",
                                PATCHBAY_SECRET_BIGQUERY_CREDENTIALS=json.dumps(bq.get("/_control/credentials")))
        settings = ["--set", "project=demo", "--set", f"source={source.url}", "--set", f"bigquery={bq.url}"]
        plan = self.patchbay("plan", "examples/qreviews_to_bq.yaml", *settings, "--output", "json")
        self.assertEqual(plan.json["guarantee"], "exactly_once")
        self.assertEqual(self.run_json("examples/qreviews_to_bq.yaml", *settings).stream["rows_written"], 50)

    def test_the_misspelt_one_is_refused_with_every_fault(self):
        result = self.patchbay("validate", "examples/surveys_misspelt.yaml")
        self.assertEqual((result.code, len(result.out.splitlines())), (3, 3), result)

    def test_the_demo_shows_what_it_says(self):
        done = subprocess.run(["bash", str(SOURCE / "examples/demo.sh")], capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "BUILD": str(BUILD)})
        self.assertEqual(done.returncode, 0, done)
        for text in ("1,200    1,200", "score: expected int64, found utf8", "did you mean account_sid?", "(exit 3)"):
            self.assertIn(text, done.stdout + done.stderr)
        self.assertNotIn("PHI-", done.stdout + done.stderr)


if __name__ == "__main__":
    main()
