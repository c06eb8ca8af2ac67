"""Rows against schemas, as load jobs and insertAll judge them, and cells as answers give them."""

import base64
import datetime
import decimal
import json
import math
import re

LEGACY = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC",
          "BIGDECIMAL": "BIGNUMERIC"}
KNOWN = {"STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "NUMERIC",
         "BIGNUMERIC", "JSON", "RECORD"}
MODES = {"NULLABLE", "REQUIRED", "REPEATED"}
RESERVED = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")  # no column's name begins so
DEPTH = 15
DAY, CLOCK = r"\d{4}-\d\d?-\d\d?", r"\d\d?:\d\d?:\d\d?(?:\.\d{1,6})?"
DATE, TIME = re.compile(f"{DAY}$", re.A), re.compile(f"{CLOCK}$", re.A)
DATETIME = re.compile(f"({DAY})(?:[Tt ]({CLOCK}))?$", re.A)
TIMESTAMP = re.compile(rf"({DAY})(?:[Tt ](\d\d?:\d\d?(?::\d\d?(?:\.\d{{1,6}})?)?))? ?(Z|z|UTC|[+-]\d\d?(?::?\d\d)?)?$", re.A)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan|inf(inity)?)$", re.A | re.I)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
SCALES = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}


class Invalid(Exception):
    """A row that does not fit: location and message."""

    def __init__(self, location, message):
        super().__init__(message)
        self.location, self.message = location, message


class BadSchema(Exception):
    pass


def normalize(fields, depth=1):
    """The fields as answers give them: legacy type names, modes in full."""
    out = []
    if depth > DEPTH:
        raise BadSchema(f"Schema has nested structs deeper than {DEPTH} levels.")
    for field in fields:
        name = field.get("name", "")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,299}", name) or name.upper().startswith(RESERVED):
            raise BadSchema(f"Invalid field name \"{name}\". Fields must contain the allowed characters, and be at most 300 characters long. "
                            "For allowed characters, please refer to https://cloud.google.com/bigquery/docs/schemas#column_names")
        kind = str(field.get("type", "")).upper()
        one = {**field, "type": LEGACY.get(kind, kind), "mode": (field.get("mode") or "NULLABLE").upper()}
        if one["type"] not in KNOWN or one["mode"] not in MODES:
            raise BadSchema(f"Invalid value for type or mode: {field.get('type')} {one['mode']} is not a valid value")
        if one["type"] == "RECORD":
            one["fields"] = normalize(field.get("fields", []), depth + 1)
            if not one["fields"]:
                raise BadSchema(f"Field {field['name']} is type RECORD but has no schema")
        out.append(one)
    names = [field["name"].lower() for field in out]
    if len(set(names)) != len(names):
        raise BadSchema("Duplicate field name")
    return out


def padded(text):
    """Single digits get their zero."""
    return re.sub(r"(?<![\d.])(\d)(?!\d)", r"0\1", text)


def need(found):
    if not found:
        raise ValueError
    return found


def timestamp(value):
    need(not isinstance(value, bool))
    if isinstance(value, (int, float)):
        return EPOCH + datetime.timedelta(microseconds=round(value * 1_000_000))
    match = need(TIMESTAMP.match(value))
    parsed = datetime.datetime.fromisoformat(padded(match[1]) + "T" + padded(match[2] or "00:00:00"))
    zone = (match[3] or "Z").upper()
    if zone not in ("Z", "UTC"):
        hours, minutes = re.fullmatch(r"[+-](\d\d?):?(\d\d)?", zone).groups("0")
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        parsed -= offset if zone[0] == "+" else -offset
    return parsed.replace(tzinfo=datetime.timezone.utc)


def exact_decimal(kind, value):
    digits, scale = SCALES[kind]
    number = decimal.Decimal(str(value).strip())
    need(number.is_finite())
    with decimal.localcontext(prec=100):
        number = number.normalize()
        need(-number.as_tuple().exponent <= scale and number.adjusted() < digits)
        return format(number, "f")


def text(value):
    need(not isinstance(value, (dict, list)))
    return value if isinstance(value, str) else json.dumps(value)


def integer(value):
    if isinstance(value, str):
        value = int(need(re.fullmatch(r"[+-]?\d+", value, re.A))[0])
    need(not isinstance(value, bool) and value == int(value) and -(2**63) <= value < 2**63)
    return int(value)


def real(value):
    need(not isinstance(value, bool) and (not isinstance(value, str) or NUMBER.match(value)))
    return float(value)


def boolean(value):
    need(str(value).lower() in ("true", "false"))
    return str(value).lower() == "true"


def base64_text(value):
    base64.b64decode(value, validate=True)
    return value


def date_time(value):
    day, clock = need(DATETIME.match(value)).groups("00:00:00")
    return datetime.datetime.fromisoformat(padded(day) + "T" + padded(clock)).isoformat()


def json_value(value):
    """Kept as text; a string is the text of a JSON value already."""
    return json.dumps(json.loads(value) if isinstance(value, str) else value, ensure_ascii=False, separators=(",", ":"))


STORED = {
    "STRING": text, "INTEGER": integer, "FLOAT": real, "BOOLEAN": boolean, "BYTES": base64_text, "JSON": json_value,
    "NUMERIC": lambda value: exact_decimal("NUMERIC", value), "BIGNUMERIC": lambda value: exact_decimal("BIGNUMERIC", value),
    "TIMESTAMP": lambda value: timestamp(value).isoformat(), "DATETIME": date_time,
    "DATE": lambda value: datetime.date.fromisoformat(padded(need(DATE.match(value))[0])).isoformat(),
    "TIME": lambda value: datetime.time.fromisoformat(padded(need(TIME.match(value))[0])).isoformat(),
    "GEOGRAPHY": text,
}


def check_value(field, value, path, ignore_unknown):
    if field["mode"] == "REPEATED":
        if value is None:
            return []
        if not isinstance(value, list):
            raise Invalid(path, f"Repeated field must be imported as a JSON array. Field: {path}.")
        return [check_one(field, item, path, ignore_unknown, True) for item in value]
    return check_one(field, value, path, ignore_unknown, False)


def check_one(field, value, path, ignore_unknown, in_list):
    if value is None:
        if in_list or field["mode"] == "REQUIRED":
            raise Invalid(path, f"Only optional fields can be set to NULL. Field: {path}; Value: NULL")
        return None
    if field["type"] == "RECORD":
        if not isinstance(value, dict):
            raise Invalid(path, f"This field: {path} is not a record.")
        return check_row(field["fields"], value, ignore_unknown, path + ".")
    if isinstance(value, list) and field["type"] != "JSON":
        raise Invalid(path, f"Array specified for non-repeated field: {path}.")
    try:
        return STORED[field["type"]](value)
    except (ValueError, TypeError, OverflowError, decimal.InvalidOperation):
        raise Invalid(path, f"Cannot convert value to {field['type'].lower()} (bad value): {value}") from None


def check_row(fields, row, ignore_unknown, path=""):
    """The row as it is stored, by the schema's names. Raises Invalid."""
    if not isinstance(row, dict):
        raise Invalid("", "a row must be an object")
    by_name = {field["name"].lower(): field for field in fields}
    given = {}
    for name, value in row.items():
        if name.lower() in by_name:
            given[name.lower()] = value
        elif not ignore_unknown:
            raise Invalid(path + name, f"no such field: {path}{name}.")
    stored = {}
    for lower, field in by_name.items():
        stored[field["name"]] = check_value(field, given.get(lower), path + field["name"], ignore_unknown)
    return stored


def cell(field, value, int64_timestamps):
    """{"v": ..} as tabledata.list and queries answer."""
    if field["mode"] == "REPEATED":
        return {"v": [cell({**field, "mode": "NULLABLE"}, item, int64_timestamps) for item in value or []]}
    if value is None:
        return {"v": None}
    kind = field["type"]
    if kind == "RECORD":
        return {"v": {"f": [cell(member, value.get(member["name"]), int64_timestamps) for member in field["fields"]]}}
    if kind == "BOOLEAN":
        return {"v": "true" if value else "false"}
    if kind == "TIMESTAMP":
        micros = (datetime.datetime.fromisoformat(value) - EPOCH) // datetime.timedelta(microseconds=1)
        return {"v": str(micros) if int64_timestamps else repr(micros / 1e6)}
    if kind == "FLOAT" and not math.isfinite(value):
        return {"v": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return {"v": str(value)}
