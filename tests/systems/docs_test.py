"""The reference pages are what the program makes of its manifests and commands: `./dev docs` writes them."""

import fnmatch
import re
import subprocess

from harness import BUILD, SOURCE, SystemTest, main

PAGES = SOURCE / "docs/reference"


class DocsTest(SystemTest):
    def test_pages_are_up_to_date(self):
        plugins = [manifest.stem for manifest in (SOURCE / "manifests").glob("*.json")]
        self.assertEqual(sorted(page.stem for page in PAGES.glob("*.md")), sorted([*plugins, "patchbay"]))
        for plugin in plugins:
            page = self.patchbay("plugins", "show", plugin, "--output", "markdown")
            self.assertEqual(page.out, (PAGES / f"{plugin}.md").read_text(), f"{plugin}: run `./dev docs`")
        self.assertEqual(self.patchbay("help", "--markdown").out, (PAGES / "patchbay.md").read_text(), "run `./dev docs`")

    def test_the_rules_of_the_guarantee_are_the_codes(self):
        page = self.patchbay("help", "--markdown").out
        rules = page[page.index("## Rules of the guarantee"):].split("\n\n")[1]
        promises = (SOURCE / "docs/promises.md").read_text()
        self.assertIn(f"<!-- rules: written by ./dev docs -->\n{rules}\n<!-- end -->", promises, "run `./dev docs`")

    def test_the_promises_name_tests_that_there_are(self):
        built = {line.split(": ")[-1] for line in subprocess.run(["ctest", "--test-dir", BUILD, "-N"], capture_output=True, text=True, check=True).stdout.splitlines()}
        for names in re.findall(r"\*Tests: (.*?)\*", (SOURCE / "docs/promises.md").read_text(), re.S):
            for name in re.findall(r"`([a-z_*]+)`", names):
                with self.subTest(name):
                    self.assertTrue(any(fnmatch.fnmatch(test, name) for test in built), name)


if __name__ == "__main__":
    main()
