"""Rows against schemas, as load jobs and insertAll judge them, and cells as answers give them."""

import base64
import datetime
import decimal
import json
import re

LEGACY = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC",
          "BIGDECIMAL": "BIGNUMERIC"}
KNOWN = {"STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "NUMERIC",
         "BIGNUMERIC", "JSON", "RECORD"}
TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)([T ](\d\d:\d\d(:\d\d(\.\d{1,6})?)?))? ?(Z|UTC|[+-]\d\d(:?\d\d)?)?$")


class Invalid(Exception):
    """A row that does not fit: location and message."""

    def __init__(self, location, message):
        super().__init__(message)
        self.location, self.message = location, message


class BadSchema(Exception):
    pass


def normalize(fields):
    """The fields as answers give them: legacy type names, modes in full."""
    out = []
    for field in fields:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,299}", field.get("name", "")):
            raise BadSchema(f"Invalid field name \"{field.get('name')}\".")
        kind = LEGACY.get(field["type"].upper(), field["type"].upper())
        if kind not in KNOWN:
            raise BadSchema(f"Invalid value for type: {field['type']} is not a valid value")
        one = {**field, "type": kind, "mode": field.get("mode", "NULLABLE")}
        if kind == "RECORD":
            one["fields"] = normalize(field.get("fields", []))
        out.append(one)
    names = [field["name"].lower() for field in out]
    if len(set(names)) != len(names):
        raise BadSchema("Duplicate field name")
    return out


def check_timestamp(value):
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    match = TIMESTAMP.match(value)
    if not match:
        raise ValueError
    text = match[1] + "T" + (match[3] or "00:00:00")
    zone = match[6] or "Z"
    parsed = datetime.datetime.fromisoformat(text)
    if zone not in ("Z", "UTC"):
        zone = zone.replace(":", "")
        minutes = int(zone[1:3]) * 60 + int(zone[3:5] or 0)
        parsed -= datetime.timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    return parsed.replace(tzinfo=datetime.timezone.utc)


def check_numeric(value, scale, digits):
    number = decimal.Decimal(str(value))
    _, integer, exponent = number.as_tuple()
    if not isinstance(exponent, int) or -exponent > scale or len(integer) + exponent > digits:
        raise ValueError
    return str(number)


def scalar(kind, value):
    """The stored form; ValueError where the value is none of the type."""
    if kind == "STRING":
        if isinstance(value, (dict, list)):
            raise ValueError
        return value if isinstance(value, str) else json.dumps(value)
    if kind == "INTEGER":
        number = int(value) if not isinstance(value, float) or value.is_integer() else None
        if isinstance(value, bool) or number is None or not -(2**63) <= number < 2**63:
            raise ValueError
        return number
    if kind == "FLOAT":
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    if kind == "BOOLEAN":
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise ValueError
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return check_numeric(value, 9 if kind == "NUMERIC" else 38, 29 if kind == "NUMERIC" else 38)
    if kind == "TIMESTAMP":
        return check_timestamp(value).isoformat()
    if kind == "DATE":
        return datetime.date.fromisoformat(value).isoformat()
    if kind == "TIME":
        return datetime.time.fromisoformat(value).isoformat()
    if kind == "DATETIME":
        if value[-1] == "Z" or "+" in value:
            raise ValueError
        return datetime.datetime.fromisoformat(value.replace(" ", "T")).isoformat()
    if kind == "BYTES":
        base64.b64decode(value, validate=True)
        return value
    return value  # JSON, GEOGRAPHY


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
    try:
        return scalar(field["type"], value)
    except (ValueError, TypeError, decimal.InvalidOperation):
        raise Invalid(path, f"Cannot convert value to {field['type'].lower()} (bad value): {path}") from None


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
        moment = datetime.datetime.fromisoformat(value)
        micros = (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
        return {"v": str(micros) if int64_timestamps else repr(micros / 1e6)}
    if kind == "JSON" and not isinstance(value, str):
        return {"v": json.dumps(value)}
    return {"v": str(value)}
