"""Somebody who knows the data and has no rights, on a fresh Debian 12: docs/analyse.md word for word.

`./dev test packages` builds the packages and runs this.
"""

import re
import unittest

from packages_case import SOURCE, PackagesCase, blocks

ORDERS = "id,customer_id,ordered_on,amount\n1,1,2026-01-30,19.9\n2,2,2026-01-31,5\n3,1,2026-01-31,12.5\n"
NEW_ONLY = """
sed -e 's/path: warehouse.db/&\\n      cursor: id/' -e 's/{stream}_${day}/new_{stream}_${run.id}/' export.yaml >new.yaml
patchbay run new.yaml
patchbay run new.yaml --only orders --full-refresh
patchbay run new.yaml
"""


class AnalystTest(PackagesCase):
    def page(self, heading):
        shell, self.folder_of_page = f"cd {self.folder_of_page}\n", "shop"
        return self.machine.sh(shell + "".join(self.commands.pop(heading)), user="ana").stdout

    def shop(self, script, check=True):
        return self.machine.sh("cd shop\n" + script, check=check, user="ana")

    def outbox(self):
        listed = self.shop("cd outbox; stat --format '%n %y' *").stdout
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def test_a_table_is_added_and_one_day_of_it_sent_again(self):
        self.commands, self.folder_of_page = blocks("docs/analyse.md"), "."
        self.machine.sh(blocks("docs/operate.md")["Install"][0].split("apt install")[0])
        self.machine.sh(re.search("`(apt install patchbay [^`]*)`", (SOURCE / "docs/analyse.md").read_text())[1])
        self.machine.sh("useradd --create-home ana")

        self.page("Something to practise with")
        shown = self.page("The file")
        self.assertIn("export.yaml: ok", shown)
        self.assertRegex(shown, r"\n +2 +Grace\n")
        first = list(self.outbox())
        self.assertEqual(first[0], "customers_2026-01-30.csv")
        self.assertRegex(first[1], r"^customers_20\d\d-\d\d-\d\d\.csv$", "today's")

        shown = self.page("Add a table")
        self.assertIn("(stream orders)", shown)
        self.assertRegex(shown, r"\ncustomers +2 +2 +0 [^\n]*\norders +3 +3 +0 ")
        before = self.outbox()
        self.assertEqual(sorted(set(before) - set(first)), ["customers_2026-01-31.csv", "orders_2026-01-31.csv"])

        shown = self.page("Send one table of one day again")
        self.assertNotIn("customers", shown)
        after = self.outbox()
        self.assertEqual({name: after[name] for name in before}, before)
        self.assertEqual(sorted(set(after) - set(before)), ["orders_2026-01-30.csv", "orders_of_2026-01-31.csv"])
        self.assertEqual(self.shop("cat outbox/orders_2026-01-30.csv").stdout, ORDERS)
        self.assertEqual(self.shop("cat outbox/orders_of_2026-01-31.csv").stdout, "id,customer_id,amount\n2,2,5\n3,1,12.5\n")

        self.misspelt_names_are_refused(after)
        self.one_table_forgets_its_state()
        listed = self.page("What happened")
        self.assertRegex(listed, r" orders_of_day +local .* ok +0\n")
        self.assertRegex(listed, r" export +local .* failed +2\n", "the misspelt table")
        self.assertEqual(self.commands, {}, "commands that nobody has run")

    def misspelt_names_are_refused(self, before):
        for wrong, told in [("--only order --set day=1", "there is customers, orders"), ("--set dya=1", "did you mean day?")]:
            refused = self.shop(f"patchbay run export.yaml {wrong}", check=False)
            self.assertEqual(refused.returncode, 2, refused)
            self.assertIn(told, refused.stderr)
        self.assertEqual(self.outbox(), before)

    def one_table_forgets_its_state(self):
        read = re.findall(r"\n(customers|orders) +(\d)", self.shop(NEW_ONLY).stdout)
        self.assertEqual(read, [("customers", "2"), ("orders", "3"), ("orders", "3"), ("customers", "0"), ("orders", "0")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
