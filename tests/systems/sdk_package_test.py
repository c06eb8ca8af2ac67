"""A plugin outside this tree, with nothing but what libpatchbay-dev and patchbay-conformance install."""

import os
import shutil
import subprocess

from harness import BUILD, SOURCE, SystemTest, main

LISTS = """cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C CXX)
include(CTest)
find_package(patchbay 0.1 REQUIRED)
patchbay_add_plugin(counter SOURCES counter.c)
patchbay_add_plugin(fields SOURCES field_names.cc fields_transform.cc MANIFEST ${CMAKE_SOURCE_DIR}/fields.json)
"""


class SdkPackageTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "usr"
        self.do("cmake", "--install", BUILD, "--component", "libpatchbay-dev", "--prefix", self.prefix)

    def do(self, *command, **environment):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env={**os.environ, **environment})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_it_builds_passes_the_suite_and_installs(self):
        tree, build, stage = (self.folder / name for name in ("tree", "build", "stage"))
        tree.mkdir()
        (tree / "CMakeLists.txt").write_text(LISTS)
        for file in (*(SOURCE / "tests/conformance/c_plugin").glob("counter.*"), *(SOURCE / "plugins/fields").glob("field*"),
                     SOURCE / "manifests/fields.json"):
            shutil.copy(file, tree)
        cache = (BUILD / "CMakeCache.txt").read_text().splitlines()
        flags = [line for line in cache if line.startswith(("CMAKE_C_FLAGS:", "CMAKE_CXX_FLAGS:")) and "-fsanitize" in line]
        self.do("cmake", "-G", "Ninja", "-S", tree, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
                f"-DPATCHBAY_CONFORMANCE={BUILD}/patchbay-conformance", "-DCMAKE_INSTALL_PREFIX=/usr", *(f"-D{line}" for line in flags))
        self.do("cmake", "--build", build)
        self.assertIn("100% tests passed", self.do("ctest", "--test-dir", build))
        exported = self.do("nm", "--dynamic", "--defined-only", build / "plugins/fields.so")
        self.assertEqual([line.split()[-1] for line in exported.splitlines()], ["patchbay_plugin_v1"])
        self.do("cmake", "--install", build, DESTDIR=str(stage))
        self.assertEqual(sorted(path.name for path in stage.rglob("*.*") if path.is_file()),
                         ["counter.json", "counter.so", "fields.json", "fields.so"])

    def test_pkg_config_and_the_names_of_this_tree(self):
        libdir = next(self.prefix.glob("**/pkgconfig")).parent
        told = self.do("pkg-config", "--variable=manifestdir", "patchbay", PKG_CONFIG_PATH=f"{libdir}/pkgconfig").strip()
        self.assertTrue(told.endswith("/share/patchbay/manifests"), told)
        installed = "".join(path.read_text(errors="replace") for path in self.prefix.rglob("*.cmake"))
        self.assertNotIn(str(SOURCE), installed)
        self.assertTrue((self.prefix / "include/patchbay/abi.h").exists())


if __name__ == "__main__":
    main()
