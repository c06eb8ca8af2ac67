"""The first pipeline of the README, typed in as it stands there."""

import re
import shlex

from harness import SOURCE, SystemTest, main

README = (SOURCE / "README.md").read_text(encoding="utf-8")


class ReadmeTest(SystemTest):
    def test_a_pipeline_of_your_own(self):
        text = README[README.index("## A pipeline of your own"):]
        blocks = re.findall(r"```(?:yaml)?\n(.*?)```", text, re.S)
        (self.folder / "orders.yaml").write_text(blocks[0])
        (self.folder / "orders.csv").write_text("OrderNo,Amount\n1,2.50\n2,3\n")
        commands = [line.split("#")[0] for line in blocks[1].splitlines()]
        self.assertEqual(len(commands), 4)
        for command in commands:
            program, *arguments = shlex.split(command)
            self.assertEqual(program, "patchbay")
            result = self.patchbay(*arguments)
            self.assertEqual(result.code, 0, f"{command}: {result}")
        self.assertEqual(self.rows("SELECT order_no, amount FROM orders", "orders.db"), [(1, 2.5), (2, 3.0)])


if __name__ == "__main__":
    main()
