"""What the tests of the promises share: shops in SQLite, folders of CSV, crashes at named steps."""

import re
import shutil
import sqlite3

from harness import SystemTest

QUICK = "retry: {attempts: 3, delay: 1ms}"


class PromisesTest(SystemTest):
    def database(self, name, *statements):
        with sqlite3.connect(self.folder / name) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def shop(self, *ids, name="shop.db"):
        """A table of orders that only grows."""
        self.database(name, "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT)",
                      *(f"INSERT INTO orders VALUES ({i}, 'item {i}')" for i in ids))

    def csv(self, name, ids):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("id\n" + "".join(f"{i}\n" for i in ids))

    def write(self, nodes, top=QUICK, name="p"):
        return self.pipeline(f"name: {name}\n{top}\nnodes:\n{nodes}", name)

    def follow(self, sink="path: out.db", top=QUICK, name="p", source="path: shop.db, cursor: id", node="src"):
        """From the shop into another database, row by row as they come."""
        return self.write(f"  - {{use: sqlite, id: {node}, with: {{{source}}}}}\n  - {{use: sqlite, id: out, with: {{{sink}}}}}\n", top, name)

    def files(self, sink="path: out.db", select="new", top=QUICK, path="in/*.csv", name="p"):
        return self.write(f"  - {{use: files, with: {{path: \"{path}\", stream: rows, select: {select}}}}}\n  - use: csv.decode\n"
                          f"  - {{use: sqlite, id: out, with: {{{sink}}}}}\n", top, name)

    def crash(self, pipeline, step, *arguments, number=1):
        """Ends at that durable step as by kill -9."""
        run = self.patchbay("run", pipeline, *arguments, env={"PATCHBAY_FAULT": f"{step}:{number}"})
        self.assertEqual(run.code, -9, run)

    def ids(self, table="rows", database="out.db"):
        if not (self.folder / database).exists() or not self.rows(f"SELECT 1 FROM sqlite_master WHERE name = '{table}'", database):
            return []
        return sorted(row[0] for row in self.rows(f'SELECT id FROM "{table}"', database))

    def refused(self, code, words, *arguments):
        """Fails with that code; every word is in what is said, spaces and line breaks aside."""
        result = self.patchbay(*arguments)
        self.assertEqual(result.code, code, result)
        said = re.sub(r"\s+", " ", result.out + result.err)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, said, result)
        return result

    def copy_state(self, to):
        shutil.copytree(self.folder / "state", self.folder / to)

    def restore_state(self, kept):
        shutil.rmtree(self.folder / "state")
        shutil.move(self.folder / kept, self.folder / "state")
