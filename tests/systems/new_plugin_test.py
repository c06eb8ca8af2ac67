"""`patchbay new plugin`: what it makes builds, passes its tests and runs, with nothing but what is installed of patchbay."""

import json
import os
import re
import subprocess

from harness import BUILD, SOURCE, SystemTest, main

KINDS = ("source", "transform", "sink")


class NewPluginTest(SystemTest):
    def do(self, *command, cwd=None, **environment):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd or self.folder,
                              env={**os.environ, **environment})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def new(self, *arguments, code=0, env=None):
        result = self.patchbay("new", "plugin", *arguments, "--output", "json", env=env)
        self.assertEqual(result.code, code, result)
        return result.json

    def install(self):
        prefix = self.folder / "usr"
        self.do("cmake", "--install", BUILD, "--component", "libpatchbay-dev", "--prefix", prefix)
        return prefix

    def build(self, name):
        """As README.md of the plugin says, with the SDK of this build tree instead of an installed one."""
        prefix = self.install()
        cache = (BUILD / "CMakeCache.txt").read_text().splitlines()
        flags = [f"-D{line}" for line in cache if line.startswith(("CMAKE_C_FLAGS:", "CMAKE_CXX_FLAGS:")) and "-fsanitize" in line]
        self.do("cmake", "-G", "Ninja", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", *flags,
                f"-DPATCHBAY_CONFORMANCE={BUILD}/patchbay-conformance", cwd=self.folder / name)
        self.do("cmake", "--build", "build", cwd=self.folder / name)
        tested = self.do("ctest", "--test-dir", "build", "--output-on-failure", cwd=self.folder / name)
        self.assertIn("100% tests passed, 0 tests failed out of 2", tested)

    def run_pipeline(self, name):
        folder = self.folder / name
        dirs = ("--plugin-dir", folder / "build/plugins", "--plugin-dir", folder / "build/manifests")
        done = subprocess.run([str(word) for word in (BUILD / "patchbay", "--state-dir", folder / "state", *dirs, "run", "pipeline.yaml")],
                              capture_output=True, text=True, cwd=folder, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [json.loads(line) for file in sorted((folder / "out").glob("*.json")) for line in file.read_text().splitlines()]

    def check(self, kind, language):
        name = f"my-{kind}"
        made = self.new(name, f"--{kind}", "--language", language)
        there = sorted(str(path.relative_to(self.folder)) for path in (self.folder / name).rglob("*") if path.is_file())
        self.assertEqual(sorted(made["files"]), there)
        self.assertEqual([path for path in there if re.search("@[a-z]+@", path + (self.folder / path).read_text())], [])
        self.build(name)
        rows = self.run_pipeline(name)
        self.assertEqual(rows, {"source": [{"line": 1, "text": "First line"}, {"line": 2, "text": "Second line"}],
                                "transform": [{"raw_id": 1, "raw_name": "Ada"}, {"raw_id": 2, "raw_name": "Bob"}],
                                "sink": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]}[kind])

    def test_a_source_in_c(self):
        self.check("source", "c")

    def test_a_transform_in_c(self):
        self.check("transform", "c")

    def test_a_sink_in_c(self):
        self.check("sink", "c")

    def test_a_source_in_cpp(self):
        self.check("source", "c++")

    def test_a_transform_in_cpp(self):
        self.check("transform", "c++")

    def test_a_sink_in_cpp(self):
        self.check("sink", "c++")

    def test_names_are_checked(self):
        for name, why in (("Parcels", "small letters"), ("a/b", "small letters"), ("-x", "no option"), ("9x", "begins with a letter"),
                          ("x-", "small letters"), ("..", "small letters"), ("x" * 61, "up to 60"), ("test", "is taken"),
                          ("sqlite", "already installed")):
            result = self.patchbay("new", "plugin", name)
            self.assertEqual(result.code, 2, name)
            self.assertTrue(why in result.err or name == "-x", result)
        both = self.patchbay("new", "plugin", "parcels", "--source", "--sink")
        self.assertEqual((both.code, "one after the other" in both.err), (2, True), both)
        self.assertEqual(self.patchbay("new", "plugin", "parcels", "--language", "rust").code, 2)
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_is_there_stays(self):
        for name in ("file", "folder", "link"):
            {"file": lambda p: p.write_text("mine"), "folder": lambda p: p.mkdir(), "link": lambda p: p.symlink_to("gone")}[name](
                self.folder / name)
            failed = self.new(name, code=3)
            self.assertIn(f"{name}: is there already; move it away", failed["error"]["message"])
        self.assertEqual((self.folder / "file").read_text(), "mine")

    def test_a_folder_that_cannot_be_made_leaves_nothing(self):
        limited = subprocess.run(["bash", "-c", f"ulimit -f 0; trap '' XFSZ; exec {BUILD}/patchbay new plugin parcels"],
                                 cwd=self.folder, capture_output=True, text=True, env=self.environment)
        self.assertEqual((limited.returncode, "cannot be written" in limited.stderr), (5, True), limited)
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_maintainer_is_the_one_debian_knows(self):
        self.new("parcels", env={"DEBFULLNAME": "Some Body", "DEBEMAIL": "some@body.example"})
        control = (self.folder / "parcels/debian/control").read_text()
        self.assertIn("Maintainer: Some Body <some@body.example>", control)
        self.assertIn(" -- Some Body <some@body.example>  ", (self.folder / "parcels/debian/changelog").read_text())
        self.assertTrue(os.access(self.folder / "parcels/ci.sh", os.X_OK))
        self.do("dpkg-parsechangelog", cwd=self.folder / "parcels")

    def test_the_document_is_true(self):
        text = (SOURCE / "docs/write-a-plugin.md").read_text()
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        self.assertEqual(len(blocks), 6)
        # What a test machine has, or the build tree below; what needs a machine of its own is in tests/packaging.
        self.assertTrue(blocks[0].startswith("apt install ") and blocks[5].startswith("apt install "))
        prefix = self.install()
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("patchbay", "patchbay-conformance"):
            (tools / name).write_text(f'#!/bin/sh\nexec {BUILD}/{name} "$@"\n')
        # The build tree stands in for libpatchbay-dev and patchbay-conformance, which dpkg does not know.
        (tools / "dpkg-buildpackage").write_text('#!/bin/sh\nexec /usr/bin/dpkg-buildpackage --no-check-builddeps "$@"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        environment = {"PATH": f"{tools}:{prefix}/bin:{os.environ['PATH']}", "CMAKE_PREFIX_PATH": str(prefix), "HOME": str(self.folder),
                       "PERL5LIB": f"{prefix}/share/perl5", "PATCHBAY_CONFORMANCE": str(BUILD / "patchbay-conformance")}
        out = self.do("bash", "-euo", "pipefail", "-c", "".join(blocks[1:5]), **environment)
        self.assertIn("100% tests passed, 0 tests failed out of 2", out)
        deb = next(self.folder.glob("patchbay-plugin-parcels_0.1.0_*.deb"))
        self.assertRegex(self.do("dpkg-deb", "--field", deb, "Depends"), r"patchbay-abi-1 \(>= 1\.0\)")
        self.assertRegex(self.do("dpkg-deb", "--contents", deb), r"(?s)patchbay/plugins/parcels\.so.*patchbay/manifests/parcels\.json")
        verified = self.patchbay("plugins", "verify", deb)
        self.assertEqual(verified.code, 0, verified)


if __name__ == "__main__":
    main()
