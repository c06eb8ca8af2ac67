"""A plugin exports its entry and nothing else; the program exports nothing of its own."""

import os
import pathlib
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["PATCHBAY_BUILD_DIR"])


def exported(file):
    listed = subprocess.run(["nm", "-D", "--defined-only", str(file)], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listed.splitlines()}


class ExportsTest(unittest.TestCase):
    def test_of_every_plugin(self):
        files = sorted((BUILD / "plugins").glob("*.so"))
        self.assertGreater(len(files), 5)
        for file in files:
            with self.subTest(file.name):
                self.assertEqual(exported(file), {"patchbay_plugin_v1"})

    def test_of_the_program(self):
        self.assertEqual([name for name in exported(BUILD / "patchbay") if "patchbay" in name], [])


if __name__ == "__main__":
    unittest.main()
