"""Somebody who writes a plugin, on a fresh Debian 12: docs/write-a-plugin.md word for word, from installing to a package that runs.

`./dev test packages` builds patchbay's packages and runs this.
"""

import base64
import pathlib
import re
import subprocess
import sys
import textwrap
import time
import unittest

from packages_case import PackagesCase, blocks

UNNAMED = "bogus-mail-host,bogus-mail-host-in-debian-changelog,root-in-contact"  # the maintainer, whom its README asks for
LONGEST = 600  # seconds, from nothing to a tested package
RECIPE = ".github/workflows/ci.yml"
THEN = """
apt install ../patchbay-plugin-counted_*.deb
patchbay plugins enable csv counted --env try
patchbay --env try --state-dir state run pipeline.yaml
"""


class StrangerTest(PackagesCase):
    def test_from_nothing_to_a_package_that_runs(self):
        self.machine.sh(blocks("docs/operate.md")["Install"][0].split("apt install")[0])
        commands = [code for codes in blocks("docs/write-a-plugin.md").values() for code in codes]
        begin = time.monotonic()
        self.machine.sh(commands[0], timeout=LONGEST)
        installed = time.monotonic()
        out = self.machine.sh("".join(commands[1:5]), timeout=LONGEST).stdout
        seconds = time.monotonic() - begin
        print(f"a stranger's package: {seconds:.0f} s, {installed - begin:.0f} of them for apt", file=sys.stderr)
        self.assertLess(seconds, LONGEST)
        self.assertEqual(out.count("100% tests passed, 0 tests failed out of 2"), 2, "once by hand, once in the package's build")
        self.is_a_good_package("parcels")
        self.machine.sh("cd parcels\n" + "".join(commands[5:]))
        self.assertEqual(self.machine.sh("cat parcels/out/*.json").stdout,
                         '{"line":1,"text":"First line"}\n{"line":2,"text":"Second line"}\n')
        self.machine.sh("apt install patchbay-plugin-csv", timeout=LONGEST)
        self.machine.sh("patchbay new plugin counted --sink --language c")
        out = self.machine.sh("cd counted\n" + self.recipe("counted") + THEN, timeout=LONGEST).stdout
        self.assertEqual(out.count("100% tests passed, 0 tests failed out of 2"), 2)
        self.is_a_good_package("counted")

    def recipe(self, name):
        """What GitHub would run, with the variables of the repository that it names."""
        text = (self.machine.root / "root" / name / RECIPE).read_text()
        steps = re.findall(r"^ +- run: (?:\|\n((?: {10}.*\n)+)|(.+)\n)", text, re.M)
        self.assertEqual(len(steps), 2, text)
        key = base64.b64encode((self.repository / "patchbay-archive.gpg").read_bytes()).decode()
        sources = re.search(r"<<'END'\n(.*?\n)END", blocks("docs/operate.md")["Install"][0], re.S)[1]
        script = "\n".join(textwrap.dedent(several) or one for several, one in steps)
        return script.replace("${{ vars.PATCHBAY_KEY }}", key).replace("${{ vars.PATCHBAY_SOURCES }}", sources) + "\n"

    def is_a_good_package(self, name):
        deb = next((self.machine.root / "root").glob(f"patchbay-plugin-{name}_0.1.0_*.deb"))
        fields = subprocess.run(["dpkg-deb", "--field", deb, "Depends"], check=True, capture_output=True, text=True).stdout
        self.assertIn("patchbay-abi-1 (>= 1.0)", fields)
        self.assertIn(": ok for 0 pipelines", self.machine.sh(f"patchbay plugins verify './{deb.name}'").stdout)
        judged = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", UNNAMED, deb], capture_output=True, text=True)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
