"""GoogleSQL as DuckDB's SQL, as far as the two say the same in other words. What it does not know it leaves to DuckDB to refuse."""

import ast
import re

TYPES = {"INT64": "BIGINT", "FLOAT64": "DOUBLE", "STRING": "VARCHAR", "BYTES": "BLOB", "BOOL": "BOOLEAN", "DATETIME": "TIMESTAMP",
         "TIMESTAMP": "TIMESTAMPTZ", "NUMERIC": "DECIMAL(38, 9)", "BIGNUMERIC": "DECIMAL(38, 18)"}
FUNCTIONS = {"SAFE_CAST": "TRY_CAST", "COUNTIF": "count_if"}
TOKEN = re.compile(r"""
    (?P<comment> --[^\n]* | \#[^\n]* | /\*.*?\*/ )
  | (?P<string> [rR]?(?:'''.*?''' | \"\"\".*?\"\"\" | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*") )
  | (?P<quoted> `[^`\n]+` (?:\.`?[\w$-]+`?)* )
  | (?P<number> \d+\.\d* (?:[eE][+-]?\d+)? | \d+ )
  | (?P<cast> :: )
  | (?P<path> [A-Za-z_][\w-]*\.[A-Za-z_]\w*(?:\.[A-Za-z_][\w$]*)? )
  | (?P<word> [A-Za-z_]\w* )
  | (?P<space> \s+ )
  | (?P<other> . )""", re.X | re.S)


class Refused(Exception):
    """A place in the text, and why."""

    def __init__(self, at, message):
        super().__init__(message)
        self.at, self.message = at, message


class Translation:
    """`sql` is DuckDB's; `tables` the (project, dataset, table) that it names, each as "project.dataset.table"."""

    def __init__(self, text, project):
        self.text, self.project = text, project
        self.tables, self.places, self.sql = {}, [], ""  # places: (where in sql, where in text)
        before, self.casts = "", 0
        for match in TOKEN.finditer(text):
            self.places.append((len(self.sql), match.start()))
            self.sql += self.token(match, before)
            if match.lastgroup not in ("space", "comment"):
                before = match[0].upper()

    def token(self, match, before):
        kind, text = match.lastgroup, match[0]
        if kind == "comment":
            return "--" + text[1:] if text[0] == "#" else text
        if kind == "string":
            return "'" + ast.literal_eval(text.replace("\n", "\\n")).replace("'", "''") + "'"
        if kind == "number":
            return text + "e0" if "." in text and "e" not in text.lower() else text  # else it were a decimal
        if kind == "cast" or (kind == "word" and text.upper() in ("FILTER", "ILIKE")):
            raise Refused(match.start(), f"Syntax error: Unexpected \"{text}\"")
        name = text.replace("`", "")
        if kind == "quoted" and "." not in name:
            return f'"{name}"'
        if kind == "quoted" or (kind == "path" and before in ("FROM", "JOIN")):
            return self.table(name)
        if kind == "word":
            return self.word(match, text.upper(), before) or text
        return text

    def word(self, match, upper, before):
        following = self.text[match.end():].lstrip()[:1]
        if upper == "CURRENT_TIMESTAMP" and following == "(":
            return "now"
        if before == "AS" and following == ")":
            return TYPES.get(upper)
        return FUNCTIONS.get(upper) if following == "(" else None

    def table(self, name):
        parts = name.split(".")
        full = (*([self.project] if len(parts) == 2 else []), *parts)
        self.tables[full] = ".".join(full)
        return f'"{self.tables[full]}"'

    def place(self, at):
        """[line:column] of the text, for a place in `sql`."""
        begin, origin = max(place for place in self.places if place[0] <= at)
        return place_in(self.text, origin + at - begin)


def place_in(text, at):
    before = text[:at]
    return f"[{before.count(chr(10)) + 1}:{at - before.rfind(chr(10))}]"
