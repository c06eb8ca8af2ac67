"""plugins verify FILE.deb: what an upgrade would break is known before it is installed."""

import json
import re
import shutil
import subprocess

from harness import BUILD, SystemTest, main

PULL = """
name: pull
nodes:
  - use: qreviews
    with: {base_url: "http://127.0.0.1:9", account_sid: {secret: sid}, api_key: {secret: key}, page_size: 100}
  - use: sqlite
    with: {path: out.db}
"""


class VerifyPackageTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        self.root = self.folder / "etc/environments"
        (self.root / "prod/pipelines").mkdir(parents=True)
        (self.root / "prod/pipelines/pull.yaml").write_text(PULL)
        for plugin in ("qreviews", "sqlite"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)
        self.manifest = json.loads((BUILD / "manifests/qreviews.json").read_text())
        self.architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                                           check=True).stdout.strip()

    def package(self, manifest=None, library="qreviews", architecture=None, with_manifest=True):
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: patchbay-plugin-qreviews\nVersion: 0.2\nArchitecture: {architecture or self.architecture}\n"
            "Maintainer: x <x@example.org>\nDescription: x\n")
        (tree / "usr/share/patchbay/manifests").mkdir(parents=True)
        (tree / "usr/lib/x86_64-linux-gnu/patchbay/plugins").mkdir(parents=True)
        if with_manifest:
            (tree / "usr/share/patchbay/manifests/qreviews.json").write_text(json.dumps(manifest or self.manifest))
        shutil.copy(BUILD / f"plugins/{library}.so", tree / "usr/lib/x86_64-linux-gnu/patchbay/plugins/qreviews.so")
        file = self.folder / "new.deb"
        subprocess.run(["dpkg-deb", "--build", "-Znone", tree, file], check=True, stdout=subprocess.DEVNULL)
        return file

    def verify(self, file):
        return self.patchbay("plugins", "verify", file)

    def config(self):
        return self.manifest["components"][0]["config"]["properties"]

    def test_a_package_that_changes_nothing_is_ok(self):
        file = self.package()
        result = self.verify(file)
        self.assertEqual((result.code, result.out),
                         (0, f"patchbay-plugin-qreviews 0.2: ok for 1 pipelines that use it; `apt install {file}` installs it\n"))
        result = self.patchbay("plugins", "verify", file, "--output", "json")
        self.assertEqual((result.json["ok"], result.json["plugins"], result.json["pipelines"]), (True, ["qreviews"], 1))

    def test_options_that_pipelines_would_lose_are_named(self):
        del self.config()["page_size"]
        result = self.verify(self.package())
        self.assertEqual(result.code, 3, result)
        self.assertRegex(result.out, r"environment prod: \S+pull\.yaml:5:\d+: page_size: unknown option of qreviews")
        self.manifest = json.loads((BUILD / "manifests/qreviews.json").read_text())
        self.config()["page_size"]["maximum"] = 50
        self.assertIn("page_size: must be between 1 and 50, not 100", self.verify(self.package()).out)

    def test_states_that_the_new_version_does_not_know_are_named(self):
        set_state = self.patchbay("--env", "prod", "state", "set", "pull", "--stream", "responses", '{"sequence": 5}')
        self.assertEqual(set_state.code, 0, set_state)
        self.assertEqual(self.verify(self.package()).code, 0)
        self.manifest["components"][0]["state"] = {"type": "object", "required": ["cursor"]}
        result = self.verify(self.package())
        self.assertEqual(result.code, 3, result)
        self.assertIn("the state of stream responses: ", result.out)
        self.assertIn("patchbay --env prod state show pull", result.out)

    def test_a_package_that_does_not_fit_this_host_is_refused(self):
        version = {**self.manifest, "abi": {"major": 2, "minor": 0}}
        cases = [(dict(manifest=version), r"abi: needs 2\.0, this host has 1\.0"),
                 (dict(library="csv"), r"id: the manifest says qreviews, \S+ says csv"),
                 (dict(architecture="s390x"), r"is built for s390x, this machine is \S+; run `apt download"),
                 (dict(with_manifest=False), r"has no manifest qreviews\.json")]
        for arguments, message in cases:
            with self.subTest(message):
                result = self.verify(self.package(**arguments))
                self.assertEqual(result.code, 3, result)
                self.assertTrue(re.search(message, result.out + result.err), result)

    def test_what_is_no_package_is_refused(self):
        file = self.folder / "no.deb"
        self.assertIn("no.deb: is not there", self.verify(file).err)
        file.write_bytes(b"hello")
        result = self.verify(file)
        self.assertEqual(result.code, 3)
        self.assertIn("no.deb: is no Debian package that /usr/bin/dpkg-deb can read", result.err)

    def test_no_code_of_the_package_runs_and_nothing_stays(self):
        manifest = json.loads((BUILD / "tests/plugins/throwing_constructor.json").read_text())
        tree = self.folder / "tmp"
        tree.mkdir()
        self.environment["TMPDIR"] = str(tree)
        self.package()
        target = self.folder / "tree/usr/lib/x86_64-linux-gnu/patchbay/plugins/throwing_constructor.so"
        shutil.copy(BUILD / "tests/plugins/throwing_constructor.so", target)
        (self.folder / "tree/usr/share/patchbay/manifests/throwing_constructor.json").write_text(json.dumps(manifest))
        file = self.folder / "two.deb"
        subprocess.run(["dpkg-deb", "--build", "-Znone", self.folder / "tree", file], check=True, stdout=subprocess.DEVNULL)
        result = self.verify(file)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(list(tree.iterdir()), [])


if __name__ == "__main__":
    main()
