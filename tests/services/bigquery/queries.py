"""Queries of any shape, run by DuckDB over copies of the tables that they name; and INSERT of such a query's rows.

DuckDB is a Python package of tests/services/requirements.txt: without it only what sql.py knows runs.
"""

import datetime
import decimal
import json
import re

from catalog import check_evolution, fill
from errors import ApiError, Failed, invalid
from google_sql import Refused, Translation, place_in
from loads import target_table
from sql import NAME, Query, is_simple, names
from values import Invalid, check_row

INSERT = re.compile(rf"\s*INSERT\s+INTO\s+{NAME}\s*\(([^()]+)\)\s*(?=SELECT\b|WITH\b|\()", re.I)
QUERY = re.compile(r"(?:\s|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH)\b", re.I | re.S)
STORED = {"INTEGER": "BIGINT", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN", "STRING": "VARCHAR", "NUMERIC": "DECIMAL(38,9)",
          "BIGNUMERIC": "DECIMAL(38,18)", "DATE": "DATE", "TIME": "TIME", "DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMPTZ", "JSON": "JSON",
          "GEOGRAPHY": "VARCHAR"}
GIVEN = {"tinyint": "INTEGER", "smallint": "INTEGER", "integer": "INTEGER", "bigint": "INTEGER", "hugeint": "INTEGER", "float": "FLOAT",
         "double": "FLOAT", "boolean": "BOOLEAN", "varchar": "STRING", "date": "DATE", "time": "TIME", "timestamp": "DATETIME",
         "timestamp with time zone": "TIMESTAMP", "json": "JSON"}
WIDER = {"INTEGER": ("NUMERIC", "BIGNUMERIC", "FLOAT"), "NUMERIC": ("BIGNUMERIC", "FLOAT"), "BIGNUMERIC": ("FLOAT",), "DATE": ("DATETIME",)}
STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


def run(catalog, project, configuration, dry=False):
    """The query of a job: an object with kind, schema, rows and affected."""
    text = configuration["query"]
    if INSERT.match(text) and (dry or not is_simple(text)):
        return Insert(catalog, project, text, dry)
    is_query = QUERY.match(text) and not is_simple(text)
    if dry and not is_query and not re.match(r"\s*SELECT\b", text, re.I):
        raise invalid("this server only looks at queries and INSERTs without running them", "notImplemented")
    query = Select(catalog, project, text, dry) if is_query else Query(catalog, text)
    if "destinationTable" in configuration and not dry:
        write(catalog, configuration, query)
    return query


class Select:
    kind, affected = "SELECT", None

    def __init__(self, catalog, project, text, dry, offset=0):
        """`text` from `offset` on."""
        self.catalog, self.text, self.offset = catalog, text, offset
        try:
            import duckdb
        except ImportError:
            raise invalid("this server runs such queries by DuckDB, which is not installed", "notImplemented") from None
        try:
            self.translation = Translation(text[offset:], project)
        except Refused as refusal:
            raise self.bad(refusal.message, place_in(text, offset + refusal.at)) from None
        with duckdb.connect() as connection:
            for setting in ("errors_as_json = true", "TimeZone = 'UTC'", "threads = 1"):
                connection.execute(f"SET {setting}")
            for full, name in self.translation.tables.items():
                table = catalog.table(*full)
                make_table(connection, name, table.fields, [] if dry else table.rows)
            connection.execute("SET enable_external_access = false")
            try:
                cursor = connection.execute(self.translation.sql)
                self.schema = [field_of(number, *column[:2]) for number, column in enumerate(cursor.description)]
                self.rows = [] if dry else [self.row(values) for values in cursor.fetchall()]
            except duckdb.Error as error:
                raise self.refusal(error) from None

    def row(self, values):
        try:
            return check_row(self.schema, {field["name"]: plain(value) for field, value in zip(self.schema, values)}, False)
        except Invalid as error:
            raise self.bad(f"Out of range: {error.message}") from None

    def bad(self, message, place="", reason="invalidQuery"):
        return invalid(message + (f" at {place}" if place else ""), reason)

    def refusal(self, error):
        kind, _, rest = str(error).partition(": ")
        try:
            found = json.loads(rest)
        except ValueError:
            return self.bad(f"{kind}: {rest}".split("\n")[0])
        message, place = found["exception_message"].split("\n")[0], ""
        if "position" in found:
            line, column = map(int, re.findall(r"\d+", self.translation.place(int(found["position"]))))
            first = place_in(self.text, self.offset)
            begin_line, begin_column = map(int, re.findall(r"\d+", first))
            place = f"[{line + begin_line - 1}:{column + (begin_column - 1 if line == 1 else 0)}]"
        if found["exception_type"] == "Parser":
            near = re.search(r'near "(.*)"', message)
            return self.bad(f'Syntax error: Unexpected "{near[1]}"' if near else "Syntax error: Unexpected end of statement", place)
        if found.get("error_subtype") == "COLUMN_NOT_FOUND":
            return self.bad(f"Unrecognized name: {found['name']}", place)
        if found.get("type") == "Table":
            return self.bad(f"Table \"{found['name']}\" must be qualified with a dataset (e.g. dataset.table).", reason="invalid")
        if found.get("type", "").endswith("Function"):
            return self.bad(f"Function not found: {found['name']}", place)
        if found["exception_type"] == "Conversion":
            value = re.search(r"string '(.*)' to (\w+)", message)
            return self.bad(f"Bad {value[2].lower()} value: {value[1]}" if value else message)
        return self.bad(message, place)


class Insert:
    kind, schema, rows = "INSERT", None, []

    def __init__(self, catalog, project, text, dry):
        match = INSERT.match(text)
        target = catalog.table(*match.groups()[:3])
        columns = [column_of(target, name) for name in names(re.sub(r"\s+", " ", match[4]))]
        query = Select(catalog, project, text, dry, match.end())
        if len(columns) != len(query.schema):
            raise query.bad(f"Inserted row has wrong column count; Has {len(query.schema)}, expected {len(columns)}",
                            place_in(text, match.end()))
        for number, (column, given) in enumerate(zip(columns, query.schema)):
            if not takes(column, given):
                raise query.bad(f"Query column {number + 1} has type {standard(given)} which cannot be inserted into column "
                                f"{column['name']}, which has type {standard(column)}", place_in(text, match.end()))
        self.affected = len(query.rows)
        if dry:
            return
        new = []
        for row in query.rows:
            try:
                given = {to["name"]: row[column["name"]] for to, column in zip(columns, query.schema)}
                new.append(check_row(target.fields, given, False))
            except Invalid as error:
                raise query.bad(f"Required field {error.location} cannot be null" if "NULL" in error.message else error.message) from None
        target.rows = target.rows + new


def write(catalog, configuration, query):
    """A query job's destination. Its default is to write only into what is empty."""
    table = target_table(catalog, configuration, query.schema)
    disposition = configuration.get("writeDisposition", "WRITE_EMPTY")
    if disposition == "WRITE_EMPTY" and table.rows:
        raise Failed("duplicate", f"Already Exists: Table {table.name}")
    if disposition == "WRITE_TRUNCATE":
        table.set_schema(query.schema)
        table.rows = []
    else:
        by_name = {field["name"].lower(): field for field in query.schema}
        check_evolution(query.schema, [{**f, "mode": by_name.get(f["name"].lower(), f)["mode"]} for f in table.fields], "")
    table.rows = table.rows + [dict(row) for row in query.rows]
    for row in table.rows:
        fill(table.fields, row)


def column_of(table, name):
    for field in table.fields:
        if field["name"].lower() == name.lower():
            return field
    raise invalid(f"Column {name} is not present in table {table.name}", "invalidQuery")


def takes(column, given):
    if (column["mode"] == "REPEATED") != (given["mode"] == "REPEATED"):
        return False
    if column["type"] == given["type"] == "RECORD":
        return len(column["fields"]) == len(given["fields"]) and all(map(takes, column["fields"], given["fields"]))
    return column["type"] == given["type"] or column["type"] in WIDER.get(given["type"], ())


def standard(field):
    name = STANDARD.get(field["type"], field["type"])
    return f"ARRAY<{name}>" if field["mode"] == "REPEATED" else name


def make_table(connection, name, fields, rows):
    types = {field["name"]: stored_type(field) for field in fields}
    text = json.dumps([types]).replace("'", "''")
    connection.execute(f"CREATE TABLE \"{name}\" AS SELECT row.* FROM (SELECT unnest(from_json(?, '{text}')) AS row)", [json.dumps(rows)])


def stored_type(field):
    if field["type"] == "RECORD":
        one = {member["name"]: stored_type(member) for member in field["fields"]}
    elif field["type"] in STORED:
        one = STORED[field["type"]]
    else:
        raise invalid(f"this server's queries do not know {field['type']}", "notImplemented")
    return [one] if field["mode"] == "REPEATED" else one


def field_of(number, name, kind):
    """A result's column; one without a name gets the one that BigQuery makes up."""
    out = {"name": name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"f{number}_", "mode": "NULLABLE"}
    if kind.id == "list":
        return {**field_of(number, out["name"], kind.children[0][1]), "mode": "REPEATED"}
    if kind.id == "struct":
        return {**out, "type": "RECORD", "fields": [field_of(i, *member) for i, member in enumerate(kind.children)]}
    if kind.id == "decimal":
        return {**out, "type": "NUMERIC" if dict(kind.children)["scale"] <= 9 else "BIGNUMERIC"}
    if str(kind).lower() not in GIVEN:
        raise ApiError(400, "notImplemented", f"this server's queries do not give {kind}")
    return {**out, "type": GIVEN[str(kind).lower()]}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else value
