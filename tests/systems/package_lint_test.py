"""packaging/lint.py: what it says of packages that are wrong, and that it says nothing of one that is right."""

import shutil
import subprocess
import sys

from harness import BUILD, SOURCE, SystemTest, main

PLUGINS = "usr/lib/x86_64-linux-gnu/patchbay/plugins"


class PackageLintTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.debs = self.folder / "debs"
        self.debs.mkdir()

    def package(self, name, files):
        """`files`: where each one goes, and the file or text that goes there."""
        tree = self.folder / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n")
        for where, what in files.items():
            (tree / where).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(what, str):
                (tree / where).write_text(what)
            else:
                shutil.copy(what, tree / where)
        subprocess.run(["dpkg-deb", "--build", "-Znone", tree, self.debs / f"{name}_1_all.deb"], check=True, stdout=subprocess.DEVNULL)

    def lint(self, *options):
        done = subprocess.run([sys.executable, SOURCE / "packaging/lint.py", self.debs, "/where/it/was/built", *options],
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def stripped(self, plugin):
        out = self.folder / f"{plugin}.so"
        subprocess.run(["strip", "--strip-unneeded", "-o", out, BUILD / f"plugins/{plugin}.so"], check=True)
        return out

    def test_a_sound_package_passes(self):
        self.package("patchbay-plugin-fields", {f"{PLUGINS}/fields.so": self.stripped("fields")})
        self.assertEqual(self.lint("quick"), (0, ""))

    def test_each_fault_is_named(self):
        large = self.folder / "large.so"
        large.write_bytes(self.stripped("fields").read_bytes() + bytes(1_000_000))
        self.package("patchbay-plugin-bad", {f"{PLUGINS}/bad_file.so": BUILD / "tests/plugins/bad_file.so"})
        self.package("patchbay-plugin-libc", {f"{PLUGINS}/large.so": large, f"{PLUGINS}/gone.so": BUILD / "tests/conformance/broken/libpatchbay-gone.so"})
        self.package("patchbay", {"usr/share/patchbay/x": "built in /where/it/was/built/host", "usr/share/patchbay/y": "x" * 3_000_000,
                                  "usr/bin/patchbay": BUILD / "patchbay"})
        code, said = self.lint()
        self.assertEqual(code, 1)
        bad = f"patchbay-plugin-bad: /{PLUGINS}/bad_file.so"
        for fault in (f"{bad} its stack is executable", f"{bad} its text is relocated", f"{bad} is not stripped", f"{bad} looks for libraries in lib",
                      f"{bad} is compiled without -fstack-protector-strong",
                      f"{bad} is linked without -z relro -z now",
                      f"patchbay-plugin-libc: /{PLUGINS}/large.so has ",
                      f"patchbay-plugin-libc: /{PLUGINS}/gone.so exports patchbay_gone; it must be patchbay_plugin_v1 alone",
                      "patchbay: /usr/share/patchbay/x names the folder it was built in", "patchbay: installs ",
                      "patchbay: /usr/bin/patchbay is compiled without -D_FORTIFY_SOURCE=2"):
            self.assertIn(fault, said)

    def test_nothing_to_look_at_is_a_fault(self):
        self.assertEqual(self.lint(), (1, f"{self.debs}: holds no packages\n"))


if __name__ == "__main__":
    main()
