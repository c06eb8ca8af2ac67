"""The SQL that loaders write: scripts of BEGIN, DELETE, INSERT .. SELECT, MERGE, COMMIT, and counting SELECTs.

Anything else is refused as an invalid query, never answered with an empty success.
"""

import copy
import re

from catalog import ApiError

NAME = r"`?([\w-]+)[.]([\w$-]+)[.]([\w$-]+)`?"
AGGREGATE = re.compile(rf"SELECT (COUNT\(\*\)|MAX\((\w+)\)|MIN\((\w+)\))(?: AS (\w+))? FROM {NAME}$", re.I)
SELECT = re.compile(rf"SELECT (.+?) FROM {NAME}(?: ORDER BY `?(\w+)`?)?(?: LIMIT (\d+))?$", re.I | re.S)
INSERT = re.compile(rf"INSERT INTO {NAME} \((.+?)\) SELECT (.+?) FROM {NAME}$", re.I | re.S)
DELETE = re.compile(rf"(?:DELETE FROM {NAME} WHERE true|TRUNCATE TABLE {NAME})$", re.I)
MERGE = re.compile(rf"MERGE {NAME} t USING {NAME} s ON (.+?) WHEN MATCHED THEN UPDATE SET (.+?) "
                   r"WHEN NOT MATCHED THEN INSERT \((.+?)\) VALUES \((.+?)\)$", re.I | re.S)


def names(text):
    return [part.strip().strip("`").removeprefix("s.").strip("`") for part in text.split(",")]


def invalid(message):
    return ApiError(400, "invalidQuery", message)


class Query:
    """Runs a script: all of it or nothing. `schema` and `rows` are the last SELECT's."""

    def __init__(self, catalog, text):
        self.catalog, self.schema, self.rows, self.affected = catalog, None, [], None
        statements = [s.strip() for s in text.split(";") if s.strip()]
        before = {key: copy.copy(table.rows) for key, table in catalog.tables.items()}
        try:
            for statement in statements:
                self.run(re.sub(r"\s+", " ", statement))
        except ApiError:
            for key, rows in before.items():
                catalog.tables[key].rows = rows
            raise

    def table(self, groups):
        return self.catalog.table(*groups)

    def run(self, statement):
        if re.fullmatch(r"(BEGIN|COMMIT)( TRANSACTION)?", statement, re.I):
            return
        for pattern, action in ((AGGREGATE, self.aggregate), (INSERT, self.insert), (DELETE, self.delete), (MERGE, self.merge),
                                (SELECT, self.select)):
            match = pattern.match(statement)
            if match:
                action(match)
                return
        raise invalid(f"Syntax error or SQL that this server does not know: {statement[:80]}")

    def aggregate(self, match):
        table = self.table(match.groups()[4:7])
        column = match[2] or match[3]
        if not column:
            value, kind = len(table.rows), "INTEGER"
        else:
            field = next((f for f in table.fields if f["name"].lower() == column.lower()), None)
            if not field:
                raise invalid(f"Unrecognized name: {column}")
            values = [row[field["name"]] for row in table.rows if row[field["name"]] is not None]
            value = (max if match[2] else min)(values) if values else None
            kind = field["type"]
        name = match[4] or "f0_"
        self.schema, self.rows = [{"name": name, "type": kind, "mode": "NULLABLE"}], [{name: value}]

    def select(self, match):
        table = self.table(match.groups()[1:4])
        wanted = [f["name"] for f in table.fields] if match[1].strip() == "*" else names(match[1])
        by_name = {f["name"]: f for f in table.fields}
        for name in wanted:
            if name not in by_name:
                raise invalid(f"Unrecognized name: {name}")
        rows = table.rows
        if match[5]:
            rows = sorted(rows, key=lambda row: (row[match[5]] is not None, row[match[5]]))
        self.schema = [by_name[name] for name in wanted]
        self.rows = [{name: row[name] for name in wanted} for row in rows[: int(match[6]) if match[6] else None]]

    def insert(self, match):
        target, source = self.table(match.groups()[0:3]), self.table(match.groups()[5:8])
        into, columns = names(match[4]), names(match[5])
        target.rows = target.rows + [{**{f["name"]: [] if f["mode"] == "REPEATED" else None for f in target.fields},
                                      **{a: row[b] for a, b in zip(into, columns)}} for row in source.rows]
        self.affected = len(source.rows)

    def delete(self, match):
        table = self.table([g for g in match.groups() if g])
        self.affected, table.rows = len(table.rows), []

    def merge(self, match):
        target, source = self.table(match.groups()[0:3]), self.table(match.groups()[3:6])
        keys = re.findall(r"t\.`?(\w+)`? = s\.", match[7])
        index = {tuple(row[k] for k in keys): i for i, row in enumerate(target.rows)}
        rows, used = list(target.rows), set()
        for row in source.rows:
            key = tuple(row[k] for k in keys)
            if key in used:
                raise invalid("UPDATE/MERGE must match at most one source row for each target row")
            used.add(key)
            if key in index and None not in key:
                rows[index[key]] = dict(row)
            else:
                rows.append(dict(row))
        target.rows, self.affected = rows, len(source.rows)
