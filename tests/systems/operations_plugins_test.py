"""Broken plugins: whose fault, in which call, what to do; enabled and disabled ones."""

import json
import shutil
import subprocess

from harness import BUILD, SOURCE, Result, main
from operations import OperationsTest

BROKEN = BUILD / "tests/plugins"
AUTHOR = "this is a bug of the plugin, report it to its author"
# Plugin, exit code, and what the message says besides the plugin's name.
LOADING = [
    ("missing_symbol", 3, ["missing_symbol.so does not export patchbay_plugin_v1", "build it against the patchbay SDK"]),
    ("gone_library", 3, ["cannot be loaded: libpatchbay-gone.so: cannot open shared object file",
                         "reinstall patchbay-plugin-gone-library and the libraries that it needs"]),
    ("undefined_symbol", 3, ["cannot be loaded: ", "undefined symbol: patchbay_nowhere; reinstall patchbay-plugin-"]),
    ("null_entry", 70, ["patchbay_plugin_v1 returned no table; " + AUTHOR]),
    ("throwing_entry", 70, ["patchbay_plugin_v1 threw: thrown by the entry; " + AUTHOR]),
    ("throwing_constructor", 70, ["crashed in loading (SIGABRT)", AUTHOR]),
    ("abort_in_create", 70, ["crashed in create of node abort_in_create (SIGABRT)", AUTHOR]),
    ("segfault_in_create", 70, ["crashed in create of node segfault_in_create (SIGSEGV)", AUTHOR]),
    ("silent_failure", 7, ["failed in create with status -6 and no message"]),
]
# None of their code runs: it would end the program by abort().
NOTES = [
    ("no_note", 3, ["no_note.so: has no patchbay note, so it is no plugin"]),
    ("other_id", 3, ["id: the manifest says other_id, ", "says another; reinstall patchbay-plugin-other-id"]),
    ("other_version", 3, ["version: the manifest says 1.0.0, ", "says 9.9.9; reinstall patchbay-plugin-other-version"]),
    ("wrong_major", 3, ["was built for 2, this host has 1; install a patchbay-plugin-wrong-major that fits"]),
    ("newer_minor", 3, ["needs 9999 or newer", "upgrade patchbay"]),
]


def for_another_processor():
    built = bytearray((BUILD / "plugins/fields.so").read_bytes())
    built[18:20] = (22).to_bytes(2, "little")  # e_machine: EM_S390
    return bytes(built)


class PluginsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        (self.folder / "a.csv").write_text("id\n1\n2\n")
        self.environment["PATCHBAY_PLUGIN_DIR"] = str(BROKEN)

    def load(self, plugin):
        return self.pipeline(f"""
name: broken
nodes:
  - use: files
    with: {{path: a.csv, stream: t}}
  - use: csv.decode
  - use: {plugin}
  - use: sqlite
    with: {{path: out.db}}
""", plugin)


class BrokenPluginsTest(PluginsTest):
    def test_the_message_names_plugin_call_and_what_to_do(self):
        for plugin, code, words in LOADING + NOTES:
            for verb in ("run", "check", "preview", "plan"):
                with self.subTest(plugin, verb=verb):
                    result = self.patchbay(verb, self.load(plugin))
                    self.assert_fails(result, code, f"plugin {plugin}", *words)
                    self.assertNotIn("boost", result.out + result.err)
            self.assertFalse((self.folder / "out.db").exists())

    def test_a_report_in_json_says_the_same(self):
        for plugin, code, words in LOADING + NOTES:
            for verb in ("run", "check", "preview"):
                with self.subTest(plugin, verb=verb):
                    result = self.patchbay(verb, self.load(plugin), "--output", "json")
                    self.assertEqual(result.code, code, result)
                    error = [one for one in result.json if not one["ok"]][0] if isinstance(result.json, list) \
                        else result.json["error"]
                    self.assertIn(words[0], error["message"])
                    self.assertEqual(error["class"], {3: "config", 7: "remote", 70: "internal"}[code])
                    if verb == "run":
                        self.assertEqual((error["node"] or plugin, result.json["exit_code"], result.json["outcome"]),
                                         (plugin, code, "failed"))
                        self.assertEqual(self.patchbay("runs", "list", "--output", "json").json[0]["outcome"],
                                         "crashed" if "crashed" in error["message"] else "failed")

    def test_verify_runs_them_one_by_one(self):
        for plugin, code, words in LOADING + NOTES:
            if "create" in "".join(words):
                continue
            with self.subTest(plugin):
                result = self.patchbay("plugins", "verify", plugin)
                self.assert_fails(result, 70 if "crashed" in words[0] else 3, f"plugin {plugin}", words[0])
        for plugin in ("fields", "sqlite", "counter"):
            self.assertEqual(self.patchbay("plugins", "verify", plugin).code, 0)

    def test_list_shows_them_and_the_others(self):
        result = self.patchbay("plugins", "list", "--output", "json")
        self.assertEqual(result.code, 0)
        listed = {one["id"]: one for one in result.json}
        for plugin, _, words in NOTES:
            self.assertFalse(listed[plugin]["usable"])
            self.assertIn(words[0], listed[plugin]["problem"])
            self.assertRegex(self.patchbay("plugins", "list").out, rf"(?m)^{plugin} .* unusable ")
        self.assertTrue(listed["sqlite"]["usable"])

    def test_threads_that_crash_at_once_are_told_of_once(self):
        for _ in range(5):
            result = self.patchbay("check", self.load("threads_crash"))
            self.assertEqual((result.code, result.err.count("crashed")), (70, 1), result)
            self.assertIn("crashed outside any plugin (SIGSEGV); this is a bug of patchbay, or of a plugin's own thread", result.err)

    def test_a_pipeline_without_them_runs_beside_them(self):
        self.assertEqual(self.patchbay("run", self.load("fields")).code, 0)
        self.assertEqual(self.rows("SELECT id FROM t"), [(1,), (2,)])


class SloppyCallsTest(PluginsTest):
    def test_a_sloppy_call_is_told_of_and_harms_nothing(self):
        for plugin, why in (("small_event", "input_next: the event has struct_size 0, ABI 1.0 has "), ("rejects_nothing", "reject: has no rows")):
            with self.subTest(plugin):
                result = self.patchbay("run", self.load(plugin))
                self.assert_fails(result, 70, plugin, why, "this is a bug of the plugin")
                self.assertFalse((self.folder / "out.db").exists())


class ConformanceTest(PluginsTest):
    def judge(self, plugin, *options):
        return self.run_program([BUILD / "patchbay-conformance", BROKEN / f"{plugin}.so", *options])

    def run_program(self, words):
        done = subprocess.run([str(word) for word in words], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return Result(done)

    def test_a_failure_says_what_why_and_where(self):
        result = self.judge("other_version")
        self.assertEqual(result.code, 70, result)
        self.assertRegex(result.out, r"FAILED  note, manifest and tables agree: .*version: the manifest says 1\.0\.0.*\n"
                                     r" +why:  the host trusts .*\n +see:  abi\.h: BAY_PLUGIN_NOTE")
        failed = self.judge("small_event", "--output", "json")
        self.assertEqual(failed.code, 70)
        taken = [one for one in failed.json if one["check"].startswith("transform broken: takes a sample")]
        self.assertIn("struct_size is too small", taken[0]["message"])
        self.assertTrue(all(one["why"] and one["contract"] for one in failed.json))

    def test_a_crash_names_the_check(self):
        result = self.judge("segfault_in_create")
        self.assertEqual(result.code, 70, result)
        self.assertIn("plugin segfault_in_create crashed in the check: transform broken: is created without I/O (SIGSEGV)", result.err)


class ManifestsTest(PluginsTest):
    def setUp(self):
        super().setUp()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        self.environment["PATCHBAY_PLUGIN_DIR"] = str(self.plugins)

    def install(self, text=None, **changes):
        manifest = {**json.loads((BUILD / "manifests/fields.json").read_text()), "id": "mine", "library": "mine.so", **changes}
        (self.plugins / "mine.json").write_text(json.dumps(manifest) if text is None else text)
        shutil.copy(BUILD / "plugins/fields.so", self.plugins / "mine.so")

    def test_each_fault_is_named_by_list_validate_and_run(self):
        cases = [("cut", {"text": '{"id": "mine",'}, ["mine.json"]),
                 ("no JSON", {"text": "hello"}, ["mine.json"]),
                 ("empty", {"text": ""}, ["mine.json"]),
                 ("another id", {"id": "yours"}, ["mine.json", "yours"]),
                 ("another ABI", {"abi": {"major": 2, "minor": 0}}, ["abi", "2.0", "this host has 1."]),
                 ("newer ABI", {"abi": {"major": 1, "minor": 99}}, ["abi", "1.99", "this host has 1."]),
                 ("no library", {"library": "nowhere.so"}, ["nowhere.so is not there; run `apt install --reinstall patchbay-plugin-mine`"]),
                 ("library elsewhere", {"library": "../mine.so"}, ["library: must be a file name without a folder"]),
                 ("library of another plugin", {}, ["id: the manifest says mine", "says fields"]),
                 ("unknown word", {"sumary": "x"}, ["sumary", "did you mean summary"])]
        for note, changes, words in cases:
            with self.subTest(note):
                self.install(**changes)
                result = self.patchbay("plugins", "list", "--output", "json")
                self.assertEqual(result.code, 0, result)
                mine = [one for one in result.json if one["id"] == "mine"][0]
                self.assertFalse(mine["usable"])
                for word in words:
                    self.assertIn(word, mine["problem"])
                self.assert_fails(self.patchbay("run", self.load("mine")), 3, "mine", *words)
                self.assert_fails(self.patchbay("plugins", "verify", "mine"), 3, *words)

    def test_a_library_that_is_no_library(self):
        self.install()
        for content, word in ((b"", "is empty or not a regular file"), (b"hello" * 100, "is no 64-bit shared object"),
                              (b"\x7fELF" + bytes(60), "is no 64-bit shared object"),
                              ((BUILD / "plugins/fields.so").read_bytes()[:4000], "mine.so"),
                              (for_another_processor(), "mine.so: is built for another processor")):
            with self.subTest(word):
                (self.plugins / "mine.so").write_bytes(content)
                self.assert_fails(self.patchbay("run", self.load("mine")), 3, "mine.so", word)


class TrustTest(PluginsTest):
    def test_libraries_that_a_plugin_brings_along_are_part_of_it(self):
        plugins, behind = self.folder / "plugins", self.folder / "plugins/behind"
        behind.mkdir(parents=True)
        (self.folder / "behind.c").write_text("int behind(void) { return 1; }")
        include = ["-I", SOURCE / "sdk/include", '-DPATCHBAY_PLUGIN_ID="counter"', '-DPATCHBAY_PLUGIN_VERSION="1.0.0"']
        for words in ([self.folder / "behind.c", "-o", behind / "libbehind.so"],
                      [SOURCE / "tests/conformance/c_plugin/counter.c", *include, "-L", behind, "-Wl,--no-as-needed", "-lbehind",
                       "-Wl,-rpath,$ORIGIN/behind", "-o", plugins / "counter.so"]):
            subprocess.run(["cc", "-shared", "-fPIC", *map(str, words)], check=True)
        shutil.copy(BROKEN / "counter.json", plugins)
        self.environment["PATCHBAY_PLUGIN_DIR"] = str(plugins)
        self.assertEqual(self.patchbay("plugins", "verify", "counter").code, 0)
        for path in (behind / "libbehind.so", behind):
            mode = path.stat().st_mode
            path.chmod(0o777)
            result = self.patchbay("plugins", "verify", "counter")
            self.assert_fails(result, 3, f"{path}: others than its owner may write to it (mode 0777), so libbehind.so is not loaded; "
                                         f"run `chmod go-w {path}`")
            path.chmod(mode)


class EnabledTest(PluginsTest):
    def setUp(self):
        super().setUp()
        self.config = self.folder / "config"
        (self.config / "environments/prod/pipelines").mkdir(parents=True)
        self.environment.update(PATCHBAY_CONFIG_DIR=str(self.config), PATCHBAY_ENV="prod")

    def enable(self, *plugins):
        for plugin in plugins:
            self.assertEqual(self.patchbay("plugins", "enable", plugin).code, 0)

    def test_only_what_is_enabled_runs(self):
        pipeline = self.load("fields")
        for plugin in ("csv", "fields", "sqlite"):
            result = self.patchbay("run", pipeline)
            self.assert_fails(result, 3, f"use: plugin {plugin} is not enabled; run `patchbay plugins enable {plugin} --env prod`")
            self.enable(plugin)
        self.enable("files")
        self.assertEqual(self.patchbay("run", pipeline).code, 0)
        result = self.patchbay("plugins", "disable", "fields")
        self.assertEqual((result.code, result.out), (0, "fields: disabled in prod\n"))
        for verb in ("run", "validate", "check", "plan", "preview"):
            self.assert_fails(self.patchbay(verb, pipeline), 3, "use: plugin fields is not enabled")
        states = {one["id"]: one["enabled"] for one in self.patchbay("plugins", "list", "--output", "json").json}
        self.assertEqual((states["fields"], states["csv"]), (False, True))

    def test_names_are_found_among_what_is_there(self):
        self.assert_fails(self.patchbay("plugins", "enable", "feilds"), 2, "no plugin feilds, did you mean fields?")
        self.assert_fails(self.patchbay("plugins", "disable", "feilds"), 2, "did you mean fields?")
        self.assert_fails(self.patchbay("plugins", "show", "feilds"), 2, "did you mean fields?")
        self.assert_fails(self.patchbay("plugins", "enable"), 2, "needs the plugin's id")
        self.assert_fails(self.patchbay("plugins", "enable", "fields", "--env", "prd"), 3, "environment prd: is not there",
                          "prod")
        self.assert_fails(self.patchbay("plugins", "enable", "fields", "--env", "local"), 3, "every plugin is enabled there")

    def test_several_are_switched_at_once_or_none(self):
        result = self.patchbay("plugins", "enable", "files", "csv", "fields")
        self.assertEqual((result.code, result.out), (0, "".join(f"{id}: enabled in prod\n" for id in ("files", "csv", "fields"))))
        self.assert_fails(self.patchbay("plugins", "disable", "files", "feilds"), 2, "did you mean fields?")
        self.assert_fails(self.patchbay("plugins", "enable", "sqlite", "feilds"), 2, "did you mean fields?")
        states = {one["id"]: one["enabled"] for one in self.patchbay("plugins", "list", "--output", "json").json}
        self.assertEqual([id for id in ("files", "csv", "fields", "sqlite") if states[id]], ["files", "csv", "fields"])
        result = self.patchbay("plugins", "disable", "files", "csv", "--output", "json")
        self.assertEqual(result.json, [{"id": id, "environment": "prod", "enabled": False} for id in ("files", "csv")])
        self.assert_fails(self.patchbay("plugins", "show", "files", "csv"), 2, "takes one id")

    def test_a_broken_plugin_may_be_enabled_away(self):
        self.enable("no_note")
        self.assertEqual(self.patchbay("plugins", "disable", "no_note").code, 0)

    def test_an_environment_has_pipelines_by_name(self):
        self.enable("files", "csv", "fields", "sqlite")
        shutil.copy(self.load("fields"), self.config / "environments/prod/pipelines/load.yaml")
        self.assertEqual(self.patchbay("run", "load").code, 0)
        self.assert_fails(self.patchbay("run", "laod"), 3, "laod", "did you mean load?")
        self.assert_fails(self.patchbay("run", "load", "--env", "prd"), 3, "environment prd: is not there", "has prod")


if __name__ == "__main__":
    main()
