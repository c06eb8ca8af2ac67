"""The SQL that loaders write: scripts of BEGIN, DELETE, INSERT .. SELECT, MERGE, COMMIT, ROLLBACK, ASSERT, and plain SELECTs.

Anything else is refused as an invalid query, never answered with an empty success.
"""

import ast
import re

from catalog import fill
from errors import ApiError, invalid

NAME = r"`?([\w-]+)[.]([\w$-]+)[.]([\w$-]+)`?"
TRANSACTION = re.compile(r"(BEGIN|COMMIT|ROLLBACK)(?: TRANSACTION)?$", re.I)
AGGREGATE = re.compile(rf"SELECT (COUNT\(\*\)|MAX\((\w+)\)|MIN\((\w+)\))(?: AS (\w+))? FROM {NAME}$", re.I)
SELECT = re.compile(rf"SELECT (.+?) FROM {NAME}(?: ORDER BY `?(\w+)`?)?(?: LIMIT (\d+))?$", re.I)
INSERT = re.compile(rf"INSERT INTO {NAME} \((.+?)\) SELECT (.+?) FROM {NAME}$", re.I)
DELETE = re.compile(rf"(?:DELETE FROM {NAME} WHERE true|TRUNCATE TABLE {NAME})$", re.I)
LAST = (rf"\(SELECT \* FROM {NAME} WHERE true QUALIFY ROW_NUMBER\(\) OVER \(PARTITION BY (?P<by>[^()]+?) ORDER BY `?(?P<order>\w+)`? "
        r"DESC\) = 1(?P<nulls>(?: OR `?\w+`? IS NULL)*)\)")
MERGE = re.compile(rf"MERGE {NAME} t USING (?:{NAME}|{LAST}) s ON (?P<on>.+?)(?: WHEN MATCHED THEN UPDATE SET (?P<set>.+?))? "
                   r"WHEN NOT MATCHED THEN INSERT \((?P<into>.+?)\) VALUES \((?P<values>.+?)\)$", re.I)
PAIR = r"`?(\w+)`? = s\.`?(\w+)`?"
PATHS = r"((?:`?\w+`?\.)*`?\w+`?) = s\.((?:`?\w+`?\.)*`?\w+`?)"
MISSING = rf"FROM {NAME} t WHERE (?P<missing>NOT EXISTS \(SELECT 1 FROM .+\))"
COUNT_MISSING = re.compile(rf"SELECT COUNT\(\*\)(?: AS (?P<as>\w+))? {MISSING}$", re.I)
DELETE_MISSING = re.compile(rf"DELETE {MISSING}$", re.I)
ASSERT_MISSING = re.compile(rf"ASSERT \(SELECT COUNT\(\*\) {MISSING}\) <= (?P<most>\d+) AS '(?P<why>[^']*)'$", re.I)
ONE_MISSING = rf"NOT EXISTS \(SELECT 1 FROM {NAME} s WHERE ([^()]+)\)"


def names(text):
    return [part.strip().strip("`").removeprefix("s.").strip("`") for part in text.split(",")]


def bad_query(message):
    return invalid(message, "invalidQuery")


def field_of(table, name):
    for field in table.fields:
        if field["name"].lower() == name.lower():
            return field
    raise bad_query(f"Unrecognized name: {name}")


def statements_of(text):
    return [re.sub(r"\s+", " ", s.strip()) for s in text.split(";") if s.strip()]


def is_simple(text):
    """Whether Query knows it, or it is a script, which nothing else here knows."""
    statements = statements_of(text)
    if len(statements) != 1:
        return not re.match(r"(?:SELECT|WITH|INSERT|\(|--|#|/\*)", text.lstrip(), re.I)
    for pattern, group in ((SELECT, 1), (INSERT, 5)):
        match = pattern.match(statements[0])
        if match:
            return all(re.fullmatch(r"\*|\w+", name) for name in names(match[group]))
    return any(pattern.match(statements[0]) for pattern in (TRANSACTION, AGGREGATE, COUNT_MISSING, DELETE, DELETE_MISSING, MERGE))


class Query:
    """Runs a script. `schema` and `rows` are the last SELECT's; what runs outside of a transaction stays."""

    def __init__(self, catalog, text):
        self.catalog, self.schema, self.rows, self.affected = catalog, None, [], None
        self.before = None  # every table's rows when the transaction began
        statements = statements_of(text)
        if not statements:
            raise bad_query("Syntax error: Unexpected end of script")
        self.kind = statements[0].split()[0].upper() if len(statements) == 1 else "SCRIPT"
        try:
            for statement in statements:
                self.run(statement)
        except ApiError:
            self.roll_back()
            raise
        self.roll_back()  # a script that ends in the middle of its transaction

    def run(self, statement):
        for pattern, action in ((TRANSACTION, self.transaction), (AGGREGATE, self.aggregate), (INSERT, self.insert),
                                (DELETE, self.delete), (MERGE, self.merge), (COUNT_MISSING, self.count_missing),
                                (DELETE_MISSING, self.delete_missing), (ASSERT_MISSING, self.assert_missing), (SELECT, self.select)):
            match = pattern.match(statement)
            if match:
                action(match)
                return
        raise bad_query(f"Syntax error or SQL that this server does not know: {statement[:80]}")

    def transaction(self, match):
        begins = match[1].upper() == "BEGIN"
        if begins != (self.before is None):
            raise bad_query("Transaction control: " + ("nested transactions are not supported" if begins else
                                                       "there is no active transaction"))
        if begins:
            self.before = {key: table.rows for key, table in self.catalog.tables.items()}
        elif match[1].upper() == "ROLLBACK":
            self.roll_back()
        self.before = self.before if begins else None

    def roll_back(self):
        for key, rows in (self.before or {}).items():
            self.catalog.tables[key].rows = rows
        self.before = None

    def table(self, groups):
        return self.catalog.table(*groups)

    def aggregate(self, match):
        table = self.table(match.groups()[4:7])
        column = match[2] or match[3]
        if not column:
            value, kind = len(table.rows), "INTEGER"
        else:
            field = field_of(table, column)
            values = [row[field["name"]] for row in table.rows if row[field["name"]] is not None]
            value, kind = (max if match[2] else min)(values) if values else None, field["type"]
        name = match[4] or "f0_"
        self.schema, self.rows = [{"name": name, "type": kind, "mode": "NULLABLE"}], [{name: value}]

    def select(self, match):
        table, wanted = self.table(match.groups()[1:4]), match[1].strip()
        self.schema = table.fields if wanted == "*" else [field_of(table, name) for name in names(wanted)]
        rows = table.rows
        if match[5]:
            by = field_of(table, match[5])["name"]
            rows = sorted(rows, key=lambda row: (row[by] is not None, row[by]))
        self.rows = [{field["name"]: row[field["name"]] for field in self.schema}
                     for row in rows[:int(match[6]) if match[6] else None]]

    def insert(self, match):
        target, source = self.table(match.groups()[0:3]), self.table(match.groups()[5:8])
        pairs = matched(target, source, names(match[4]), names(match[5]))
        target.rows = target.rows + [new_row(target, row, pairs) for row in source.rows]
        self.affected = len(source.rows)

    def count_missing(self, match):
        name = match["as"] or "f0_"
        self.schema, self.rows = [{"name": name, "type": "INTEGER", "mode": "NULLABLE"}], [{name: len(self.missing(match))}]

    def delete_missing(self, match):
        table = self.table(match.groups()[0:3])
        need_no_filter(table)
        missing = self.missing(match)
        self.affected = len(missing)
        table.rows = [row for row in table.rows if not any(row is one for one in missing)]

    def assert_missing(self, match):
        if len(self.missing(match)) > int(match["most"]):
            raise bad_query(f"Assertion failed: {match['why']}")

    def missing(self, match):
        """The table's rows that are in none of the others, by some columns."""
        at = match.re.groupindex["missing"]
        target = self.table(match.groups()[at - 4:at - 1])
        parts = list(re.finditer(ONE_MISSING, match["missing"], re.I))
        if " AND ".join(part[0] for part in parts) != match["missing"]:
            raise bad_query(f"SQL that this server does not know: {match['missing'][:80]}")
        rows = target.rows
        for part in parts:
            source = self.table(part.groups()[0:3])
            keys = matched(target, source, *zip(*re.findall(r"t\." + PAIR, part[4])))
            there = {tuple(row[name] for _, name in keys) for row in source.rows}
            rows = [row for row in rows if None in (key := tuple(row[name] for name, _ in keys)) or key not in there]
        return rows

    def delete(self, match):
        table = self.table([g for g in match.groups() if g])
        need_no_filter(table)
        self.affected, table.rows = len(table.rows), []

    def merge(self, match):
        target, source = self.table(match.groups()[0:3]), self.table([g for g in match.groups()[3:9] if g])
        keys = matched(target, source, *zip(*re.findall(r"t\." + PAIR, match["on"])))
        update = re.findall(PATHS, match["set"] or "")
        need_no_filter(target)
        for to, given in update:
            path_in(target.fields, to), path_in(source.fields, given)
        insert = matched(target, source, names(match["into"]), names(match["values"]))
        places = {}
        for place, row in enumerate(target.rows):
            places.setdefault(tuple(row[key] for key, _ in keys), []).append(place)
        rows, used, new = list(target.rows), set(), []
        found = last_versions(source, match) if match["by"] else source.rows
        for row in found:
            key = tuple(row[name] for _, name in keys)
            if key not in places or None in key:
                new.append(new_row(target, row, insert))
                continue
            if key in used:
                raise bad_query("UPDATE/MERGE must match at most one source row for each target row")
            used.add(key)
            for place in places[key]:
                rows[place] = changed(rows[place], row, target, source, update)
        target.rows, self.affected = rows + new, len(found)


def last_versions(table, match):
    """QUALIFY: of the rows that are alike in some columns the one that is last in order, and all where one of some is null."""
    by = [field_of(table, name)["name"] for name in names(match["by"])]
    order = field_of(table, match["order"])["name"]
    nulls = [field_of(table, name)["name"] for name in re.findall(r"`?(\w+)`? IS NULL", match["nulls"], re.I)]
    last = {}
    for row in sorted(table.rows, key=lambda row: row[order]):
        last[tuple(row[name] for name in by)] = row
    return [row for row in table.rows if row is last[tuple(row[name] for name in by)] or any(row[name] is None for name in nulls)]


def path_in(fields, text):
    """The names on a path as the schema spells them."""
    out = []
    for name in text.replace("`", "").split("."):
        found = next((f for f in fields if f["name"].lower() == name.lower()), None)
        if found is None or found["mode"] == "REPEATED" and "." in text and not text.endswith(name):
            raise bad_query(f"Unrecognized name: {text}")
        out.append(found["name"])
        fields = found.get("fields", [])
    return out


def changed(old, new, target, source, update):
    """SET: of a record that is null the other members stay null."""
    out = dict(old)
    for to, given in update:
        value = new
        for name in path_in(source.fields, given):
            value = value[name] if value is not None else None
        *parents, last = path_in(target.fields, to)
        at = out
        for name in parents:
            at[name] = dict(at[name] or {})
            at = at[name]
        at[last] = value
    fill(target.fields, out)
    return out


def need_no_filter(table):
    if table.kept.get("requirePartitionFilter"):
        column = (table.kept.get("timePartitioning") or table.kept.get("rangePartitioning") or {}).get("field", "_PARTITIONTIME")
        raise bad_query(f"Cannot query over table '{table.name.replace(':', '.')}' without a filter over column(s) '{column}' that can be "
                        "used for partition elimination")


def matched(target, source, to, given):
    if len(to) != len(given):
        raise bad_query("the lists of columns differ in length")
    return [(field_of(target, a)["name"], field_of(source, b)["name"]) for a, b in zip(to, given)]


def new_row(target, row, pairs):
    out = {to: row[name] for to, name in pairs}
    for field in target.fields:
        if field["name"] not in out and field.get("defaultValueExpression"):
            out[field["name"]] = ast.literal_eval(field["defaultValueExpression"])
    fill(target.fields, out)
    return out
