"""The real sources and targets of the histories: folders of CSV, SQLite files, tables of PostgreSQL."""

import csv
import json
import sqlite3


class FolderOfCsv:
    """New files come, none changes; one file may be larger than an epoch. `id,key,text`, and rows whose id is no number."""

    def __init__(self, folder, chance, whole):
        self.folder, self.chance, self.whole = folder / "in", chance, whole
        self.folder.mkdir()
        self.files = 0

    def nodes(self):
        select = "all" if self.whole else "new"
        return [f'{{use: files, id: src, with: {{path: "in/*.csv", stream: t, select: {select}}}}}',
                "{use: csv.decode, id: rows, with: {types: {id: int64, k: int64, v: utf8}}}"]

    def add(self, rows, bad):
        lines = [f"{i},{k},{v}\n" for i, k, v in rows]  # in their order: the last of a key counts
        for i in bad:
            lines.insert(self.chance.randint(0, len(lines)), f"bad{i},0,x\n")
        file = self.folder / f"{self.files:05}.csv"
        half = self.folder / f"{self.files:05}.half"
        half.write_text("id,k,v\n" + "".join(lines))
        half.rename(file)
        self.files += 1

    def replace_all(self, rows):
        for file in self.folder.glob("*.csv"):
            file.unlink()
        self.add(rows, [])


class SqliteTable:
    """As a source by a growing id or whole; as a target, t of a file."""

    def __init__(self, folder, name, whole=False):
        self.file, self.name, self.whole = folder / f"{name}.db", name, whole

    def nodes(self):
        cursor = "" if self.whole else ", cursor: id"
        with self._open() as database:
            database.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, k INTEGER, v TEXT)")
        return [f"{{use: sqlite, id: src, with: {{path: {self.name}.db{cursor}}}}}"]

    def sink(self, inputs, options):
        return [f"{{use: sqlite, id: {self.name}, from: [{inputs}], with: {{path: {self.name}.db{options}}}}}"]

    def _open(self):
        return sqlite3.connect(self.file, timeout=60)

    def add(self, rows, bad):
        assert not bad
        with self._open() as database:
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)

    def replace_all(self, rows):
        with self._open() as database:
            database.execute("DELETE FROM t")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)

    def rows(self):
        if not self.file.exists():
            return []
        with self._open() as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 't'").fetchall():
                return []
            return database.execute("SELECT id, k, v FROM t").fetchall()

    def left_over(self):
        with self._open() as database:
            return [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                    if name not in ("t", "_patchbay_epochs")] + [f.name for f in self.file.parent.glob("*.patchbay*")]


class PostgresTable:
    """Each history has a schema of its own for each store."""

    def __init__(self, server, name, whole=False):
        self.server, self.name, self.whole = server, name, whole
        server.sql(f"SET client_min_messages = error; DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")

    def _with(self, more):
        return f'connection: "{self.server.uri}", password: {{secret: pg}}, schema: {self.name}{more}'

    def nodes(self):
        self.server.sql(f"CREATE TABLE {self.name}.t (id bigint PRIMARY KEY, k bigint, v text)")
        cursor = "" if self.whole else ", cursor: id"
        return [f"{{use: postgres, id: src, with: {{{self._with(cursor)}}}}}"]

    def sink(self, inputs, options):
        return [f"{{use: postgres, id: {self.name}, from: [{inputs}], with: {{{self._with(options)}}}}}"]

    def _insert(self, rows):
        values = ", ".join(f"({i}, {k}, '{v}')" for i, k, v in rows)
        return f"INSERT INTO {self.name}.t VALUES {values};"

    def add(self, rows, bad):
        assert not bad
        self.server.sql(self._insert(rows))

    def replace_all(self, rows):
        self.server.sql(f"BEGIN; DELETE FROM {self.name}.t; {self._insert(rows)} COMMIT")

    def rows(self):
        if not self.server.sql(f"SELECT 1 FROM pg_tables WHERE schemaname = '{self.name}' AND tablename = 't'"):
            return []
        return [(int(i), int(k), v) for i, k, v in self.server.sql(f"SELECT id, k, v FROM {self.name}.t")]

    def left_over(self):
        tables = self.server.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{self.name}' AND tablename NOT IN ('t', '_patchbay_epochs')")
        return [name for name, in tables] + self.server.sql("SELECT gid FROM pg_prepared_xacts")


class FilesOut:
    """A folder where each run has files of its own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder / name, name

    def sink(self, inputs, _options):
        return [f'{{use: csv.encode, id: {self.name}_csv, from: [{inputs}], with: {{key: "{{stream}}-{{part}}.csv"}}}}',
                f'{{use: files, id: {self.name}, from: [{self.name}_csv], with: {{path: "{self.name}/${{run.id}}-{{key}}"}}}}']

    def rows(self):
        rows = []
        for file in self.folder.glob("*.csv"):
            with file.open() as text:
                rows += [(int(row["id"]), int(row["k"]), row["v"]) for row in csv.DictReader(text)]
        return rows

    def left_over(self):
        return [file.name for file in self.folder.iterdir() if not file.name.endswith(".csv")] if self.folder.exists() else []


def refused_ids(text):
    """The ids of the bad rows in what `rejects export` prints, of epochs that are committed: bad17 is 17."""
    entries = [json.loads(line) for line in text.splitlines()]
    return [int(entry["row"]["line"].split(",")[0].removeprefix("bad")) for entry in entries if entry["committed"]]
