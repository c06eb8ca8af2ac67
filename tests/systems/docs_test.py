"""The reference pages are what the program makes of its manifests and commands: `./dev docs` writes them."""

from harness import SOURCE, SystemTest, main

PAGES = SOURCE / "docs/reference"


class DocsTest(SystemTest):
    def test_pages_are_up_to_date(self):
        plugins = [manifest.stem for manifest in (SOURCE / "manifests").glob("*.json")]
        self.assertEqual(sorted(page.stem for page in PAGES.glob("*.md")), sorted([*plugins, "patchbay"]))
        for plugin in plugins:
            page = self.patchbay("plugins", "show", plugin, "--output", "markdown")
            self.assertEqual(page.out, (PAGES / f"{plugin}.md").read_text(), f"{plugin}: run `./dev docs`")
        self.assertEqual(self.patchbay("help", "--markdown").out, (PAGES / "patchbay.md").read_text(), "run `./dev docs`")


if __name__ == "__main__":
    main()
