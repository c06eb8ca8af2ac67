"""Environments that extend one another: where each value comes from, and that no mistake hides behind another one."""

import json
import os
import pathlib
import shutil
import sqlite3

from harness import BUILD, SystemTest, main

LOAD = """
name: load
variables: {{table: t, suffix: a}}
nodes:
  - use: files
    with: {{path: in.csv, stream: "${{table}}"}}
  - use: csv.decode
  - use: sqlite
    with: {{path: "{database}", write: replace}}
"""
BASE = """variables:
  table: people
timezone: Europe/Berlin
limits: {concurrency: 2}
"""
PROD = """extends: base
variables:
  database: prod.db
"""


class EnvironmentsTest(SystemTest):
    def setUp(self):
        super().setUp()
        (self.folder / "in.csv").write_text("id\n1\n2\n")
        self.root = self.folder / "etc/environments"
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        self.write("base/environment.yaml", BASE)
        self.write("prod/environment.yaml", PROD)
        self.write("prod/pipelines/load.yaml", LOAD.format(database="${database}"))
        for plugin in ("files", "csv", "sqlite"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def test_an_environment_overrides_what_it_extends(self):
        self.assertEqual(self.patchbay("--env", "prod", "run", "load").code, 0)
        self.assertEqual(self.rows("SELECT id FROM people", "prod.db"), [(1,), (2,)])

    def test_a_state_is_of_one_environment(self):
        """Two of them have one state directory."""
        load = LOAD.format(database="out.db").replace("in.csv", "in.csv, select: new").replace(", write: replace", "")
        self.write("dev/environment.yaml", PROD)
        for plugin in ("files", "csv", "sqlite"):
            self.assertEqual(self.patchbay("--env", "dev", "plugins", "enable", plugin).code, 0)
        for environment in ("prod", "dev"):
            self.write(f"{environment}/pipelines/load.yaml", load)
        self.assertEqual(self.patchbay("--env", "prod", "run", "load").code, 0)
        (self.folder / "in.csv").write_text("id\n3\n")
        refused = self.patchbay("--env", "dev", "run", "load")
        self.assertEqual(refused.code, 3, refused)
        self.assertIn("stream people: the state is of something else: the environment was prod, and is dev", refused.err)
        self.assertEqual(self.rows("SELECT id FROM people"), [(1,), (2,)])
        self.assertEqual(self.patchbay("--env", "prod", "run", "load").code, 0)
        self.assertEqual(self.rows("SELECT id FROM people"), [(1,), (2,), (3,)])

    def test_what_is_old_is_deleted_when_a_run_ends(self):
        self.write("base/environment.yaml", BASE + "keep: {rejects: 90d, runs: 365d}\n")
        (self.folder / "in.csv").write_text("id\n1\nx\n")
        text = LOAD.replace("csv.decode", "csv.decode\n    with: {{types: {{id: int64}}}}") + "rejects: {{max: 5}}\n"
        self.write("prod/pipelines/load.yaml", text.format(database="${database}"))
        for _ in range(3):
            self.assertEqual(self.patchbay("--env", "prod", "run", "load").code, 0)
        old = "datetime('now', '-91 days')"
        with sqlite3.connect(self.folder / "state/pipelines/load.db") as state:
            state.execute(f"UPDATE rejects SET at = {old} WHERE id < (SELECT max(id) FROM rejects)")
            state.execute("UPDATE runs SET started = '2020-01-01T00:00:00Z' WHERE rowid = 1")
        self.assertEqual(self.patchbay("--env", "prod", "run", "load").code, 0)
        self.assertEqual(len(self.patchbay("--env", "prod", "rejects", "list", "load", "--output", "json").json), 2)
        self.assertEqual(len(self.patchbay("--env", "prod", "runs", "list", "--output", "json").json), 3)
        self.write("base/environment.yaml", BASE + "keep: {rejects: soon}\n")
        refused = self.patchbay("--env", "prod", "run", "load")
        self.assertEqual(refused.code, 3)
        self.assertIn("base/environment.yaml:5:8: keep.rejects: must be a duration", refused.err)

    def test_validate_and_plan_say_where_each_value_comes_from(self):
        for verb in ("validate", "plan"):
            with self.subTest(verb):
                result = self.patchbay("--env", "prod", verb, "load", "--values", "--set", "suffix=b", "--output", "json")
                self.assertEqual(result.code, 0, result)
                document = result.json[0] if verb == "validate" else result.json
                values = {one["name"]: (one["value"], one["from"]) for one in document["values"]}
                self.assertEqual(values["variables.table"], ("people", f"{self.root}/base/environment.yaml:2"))
                self.assertEqual(values["variables.database"], ("prod.db", f"{self.root}/prod/environment.yaml:3"))
                self.assertEqual(values["variables.suffix"], ("b", "--set"))
                self.assertEqual(values["timezone"], ("Europe/Berlin", f"{self.root}/base/environment.yaml:3"))
                self.assertEqual(values["limits.concurrency"], ("2", f"{self.root}/base/environment.yaml:4"))
                self.assertEqual(values["state_dir"], (f"{self.folder}/state", "--state-dir or PATCHBAY_STATE_DIR"))
                text = self.patchbay("--env", "prod", verb, "load", "--values").out
                self.assertRegex(text, r"variables\.table +people +\S+/base/environment\.yaml:2")

    def test_values_of_a_pipeline_stand_behind_those_of_the_environment(self):
        local = self.pipeline(LOAD.format(database="out.db"), "local")
        result = self.patchbay("validate", local, "--values", "--output", "json")
        values = {one["name"]: (one["value"], one["from"]) for one in result.json[0]["values"]}
        self.assertEqual(values["variables.table"], ("t", f"{local}:3"))
        self.assertEqual(values["timezone"], ("UTC", "default"))

    def test_validate_without_a_pipeline_takes_all_of_the_environment(self):
        self.write("prod/pipelines/other.yaml", LOAD.format(database="${databse}"))
        result = self.patchbay("--env", "prod", "validate")
        self.assertEqual(result.code, 3, result)
        self.assertIn("load.yaml: ok\n", result.out)
        self.assertRegex(result.out, r"other\.yaml:\d+:\d+: .*databse.*did you mean database\?")
        self.assertIn("needs a PIPELINE", self.patchbay("validate").err)
        self.assertEqual(self.patchbay("validate").code, 2)

    def test_a_mistake_in_one_environment_does_not_hide_behind_another(self):
        shutil.copytree(self.root / "prod", self.root / "dev", symlinks=True)
        result = self.patchbay("--env", "all", "validate", "--output", "json")
        self.assertEqual((result.code, [(one["environment"], one["valid"]) for one in result.json]),
                         (0, [("dev", True), ("prod", True)]))
        self.write("prod/environment.yaml", PROD + "  unused: [\n")
        result = self.patchbay("--env", "all", "validate", "--output", "json")
        self.assertEqual((result.code, [(one["environment"], one["valid"]) for one in result.json]),
                         (3, [("dev", True), ("prod", False)]))
        self.assertIn("prod/environment.yaml", result.json[1]["faults"][0]["file"])
        text = self.patchbay("--env", "all", "validate").out
        self.assertRegex(text, r"(?m)^dev: \S+load\.yaml: ok$")
        self.assertRegex(text, r"(?m)^prod: \S+prod/environment\.yaml:\d")
        self.write("prod/environment.yaml", PROD)
        (self.root / "prod/plugins.d/csv.json").unlink()
        result = self.patchbay("--env", "all", "validate")
        self.assertEqual(result.code, 3)
        self.assertIn("plugin csv is not enabled; run `patchbay plugins enable csv --env prod`", result.out)

    def test_plugins_list_says_where_each_is_enabled_and_what_is_missing(self):
        (self.root / "dev/plugins.d").mkdir(parents=True)
        os.symlink("/usr/share/patchbay/manifests/knack.json", self.root / "dev/plugins.d/knack.json")
        os.symlink(self.root / "prod/plugins.d/csv.json", self.root / "dev/plugins.d/csv.json")
        listed = {one["id"]: one for one in self.patchbay("--env", "prod", "plugins", "list", "--output", "json").json}
        self.assertEqual((listed["csv"]["enabled_in"], listed["csv"]["enabled"]), (["dev", "prod"], True))
        self.assertEqual(listed["csv"]["enabled_by"], str(self.root / "prod/plugins.d/csv.json"))
        self.assertEqual((listed["json"]["enabled_in"], listed["json"]["package"]), ([], "patchbay-plugin-json"))
        self.assertFalse(listed["knack"]["installed"])
        text = self.patchbay("plugins", "list").out
        self.assertRegex(text, r"(?m)^csv .* enabled +dev, prod ")
        self.assertRegex(text, r"(?m)^knack +missing +dev")
        self.assertIn("plugin knack is enabled in dev, but not installed; run `apt install patchbay-plugin-knack`", text)

    def test_a_plugin_that_nobody_knows_names_its_package(self):
        file = self.pipeline("nodes: [{use: zendesk}, {use: sqlite, with: {path: x.db}}]\n")
        result = self.patchbay("validate", file)
        self.assertEqual(result.code, 3)
        self.assertIn("there is no plugin zendesk; install it with `apt install patchbay-plugin-zendesk`", result.out)
        self.assertIn("`apt install patchbay-plugin-zendesk`", self.patchbay("plugins", "show", "zendesk").err)

    def test_secrets_come_from_a_command(self):
        store = self.folder / "store"
        store.write_text("#!/bin/sh\necho s3cret-of-$2\necho s3cret >&2\n")
        store.chmod(0o755)
        self.write("prod/environment.yaml", f"{PROD}secrets:\n  - command: [{store}, get, \"{{name}}\"]\n    timeout: 5s\n")
        self.write("prod/pipelines/pull.yaml", """
nodes:
  - use: qreviews
    with: {base_url: "http://127.0.0.1:9", account_sid: {secret: sid}, api_key: {secret: key}}
  - use: sqlite
    with: {path: out.db}
""")
        self.patchbay("--env", "prod", "plugins", "enable", "qreviews")
        result = self.patchbay("--env", "prod", "validate", "pull", "--values")
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"command {store} get {{name}}", result.out)
        store.write_text("#!/bin/sh\necho s3cret\nexit 1\n")
        result = self.patchbay("--env", "prod", "run", "pull")
        self.assertEqual(result.code, 4, result)
        self.assertIn(f"secret sid: the command {store} ended with exit code 1; run it by hand to see why", result.err)
        self.assertNotIn("s3cret", result.err + result.out)

    def test_an_environment_that_others_may_change_is_not_used(self):
        (self.root / "prod/environment.yaml").write_text("timezone: UTC\n")
        (self.root / "prod/plugins.d").mkdir(exist_ok=True)
        for path in (self.root / "prod/environment.yaml", self.root / "prod/plugins.d", self.root / "prod", self.root):
            mode = path.stat().st_mode
            path.chmod(0o777)
            result = self.patchbay("--env", "prod", "plugins", "list")
            self.assertEqual(result.code, 3, result)
            self.assertIn(f"{path}: others than its owner may write to it (mode 0777), so ", result.err)
            self.assertIn(f"run `chmod go-w {path}`", result.err)
            path.chmod(mode)
        self.assertEqual(self.patchbay("--env", "prod", "plugins", "list").code, 0)

    def test_a_secret_command_that_others_may_change_is_not_run(self):
        script = self.folder / "secret.sh"
        script.write_text(f"#!/bin/sh\ntouch {self.folder}/ran\necho value\n")
        script.chmod(0o777)
        (self.root / "prod/environment.yaml").write_text(f'secrets: [{{command: [{script}, "{{name}}"]}}]\n')
        pipeline = self.pipeline("nodes:\n  - {use: postgres, with: {connection: 'host=127.0.0.1 port=1', password: {secret: pw}}}\n"
                                 "  - {use: sqlite, with: {path: o.db}}\n")
        for plugin in ("postgres", "sqlite"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)
        result = self.patchbay("--env", "prod", "validate", pipeline)
        self.assertEqual(result.code, 3, result)
        self.assertIn(f"{script}: others than its owner may write to it (mode 0777), so secret.sh is not used", result.out)
        self.assertFalse((self.folder / "ran").exists())
        script.chmod(0o755)
        self.assertEqual(self.patchbay("--env", "prod", "validate", pipeline).code, 0)


class TrustTest(SystemTest):
    """As root, which alone can give a file away."""

    def setUp(self):
        super().setUp()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        manifest = json.loads((BUILD / "manifests/fields.json").read_text())
        (self.plugins / "fields.json").write_text(json.dumps(manifest))
        shutil.copy(BUILD / "plugins/fields.so", self.plugins / "fields.so")
        (self.folder / "in.csv").write_text("id\n1\n")
        (self.folder / "etc/environments/prod").mkdir(parents=True)
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        self.load = self.pipeline("""
nodes:
  - {use: files, with: {path: in.csv}}
  - {use: csv.decode}
  - {use: fields}
  - {use: sqlite, with: {path: out.db}}
""")

    def refused(self, path, mend, *words):
        for arguments in (["validate", self.load], ["run", self.load], ["plugins", "verify", "fields"]):
            result = self.patchbay("--plugin-dir", self.plugins, *arguments)
            said = result.out + result.err
            self.assertEqual(result.code, 3, result)
            for word in (f"{path}: ", f"run `{mend} {path}`", *words):
                self.assertIn(word, said)
        listed = self.patchbay("--plugin-dir", self.plugins, "plugins", "list", "--output", "json").json
        self.assertIn(f"run `{mend} {path}`", [one for one in listed if one["id"] == "fields"][0]["problem"])

    def test_what_others_may_change_is_not_loaded(self):
        for path in (self.plugins, self.plugins / "fields.so", self.plugins / "fields.json"):
            with self.subTest(path.name):
                mode = path.stat().st_mode
                path.chmod(0o777)
                self.refused(path, "chmod go-w", "others than its owner may write to it (mode 0777)")
                path.chmod(mode)
        self.assertEqual(self.patchbay("--plugin-dir", self.plugins, "run", self.load).code, 0)

    def test_what_is_anothers_is_not_loaded(self):
        for path in (self.plugins / "fields.so", self.plugins / "fields.json", self.plugins):
            with self.subTest(path.name):
                os.chown(path, 65534, 65534)
                self.refused(path, "chown root:", "belongs to nobody, not to root or you")
                os.chown(path, 0, 0)

    def test_a_library_without_a_manifest_is_shown(self):
        (self.plugins / "fields.json").unlink()
        shutil.copy(self.plugins / "fields.so", self.plugins / "lone.so")
        listed = {one["id"]: one for one in
                  self.patchbay("--plugin-dir", self.plugins, "plugins", "list", "--output", "json").json}
        self.assertIn("lone.so: has no manifest lone.json; run `apt install --reinstall patchbay-plugin-lone`",
                      listed["lone"]["problem"])

    def test_of_two_with_one_id_the_first_is_taken_and_the_other_told(self):
        out = self.patchbay("--plugin-dir", self.plugins, "plugins", "list").out
        self.assertIn(f"hidden: {BUILD}/manifests/fields.json by {self.plugins}/fields.json", out)


if __name__ == "__main__":
    main()
