"""Load jobs: NDJSON and CSV into a table."""

import csv
import gzip
import io
import json

from catalog import Counted, check_evolution, checked_fields, fill
from errors import ApiError, Failed
from values import Invalid, check_row

READING = "Error while reading data, error message: "


def run_load(catalog, load, data):
    """Loads all or nothing. Returns the job's statistics."""
    data = unpacked(data)
    given = load.get("schema", {}).get("fields")
    table = target_table(catalog, load, given)
    disposition = load.get("writeDisposition", "WRITE_APPEND")
    if disposition == "WRITE_EMPTY" and table.rows:
        raise Failed("duplicate", f"Already Exists: Table {table.name}")
    fields = checked_fields(given) if given else table.fields
    if given and disposition != "WRITE_TRUNCATE":
        check_fields(table, fields, load.get("schemaUpdateOptions", []))
    rows, bad = (Counted(data.count(b"\n")), 0) if catalog.counting else read_rows(load, fields, data)
    if fields != table.fields:
        table.set_schema(fields)
    table.rows = rows if disposition == "WRITE_TRUNCATE" else table.rows + rows
    for row in table.rows:
        fill(table.fields, row)
    return {"inputFiles": "1", "inputFileBytes": str(len(data)), "outputRows": str(len(rows)), "badRecords": str(bad)}


def unpacked(data):
    try:
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError):
        raise Failed("invalid", READING + "the gzip data is damaged") from None


def target_table(catalog, configuration, fields):
    """The destination, made where the job may and knows its schema."""
    reference = configuration["destinationTable"]
    try:
        return catalog.by_reference(reference)
    except ApiError as error:
        if configuration.get("createDisposition", "CREATE_IF_NEEDED") == "CREATE_NEVER" or "Dataset" in error.message:
            raise
    if not fields:
        raise Failed("invalid", "No schema specified on job or table.")
    body = {"tableReference": reference, "schema": {"fields": fields}}
    return catalog.create_table(reference["projectId"], reference["datasetId"], body)


def check_fields(table, fields, options):
    check_evolution(table.fields, fields, "")
    if len(fields) > len(table.fields) and "ALLOW_FIELD_ADDITION" not in options:
        raise Failed("invalid", f"Provided Schema does not match Table {table.name}. Cannot add fields")


def read_rows(load, fields, data):
    rows, bad = [], 0
    for number, record in enumerate(records(load, fields, data)):
        try:
            rows.append(check_row(fields, record(), load.get("ignoreUnknownValues", False)))
        except Invalid as error:
            bad += 1
            if bad > int(load.get("maxBadRecords", 0)):
                raise too_many_errors(load, number, error) from None
    return rows, bad


def too_many_errors(load, number, error):
    """What is wrong stands in the job's errors, with the value."""
    kind = "CSV" if load.get("sourceFormat", "CSV") == "CSV" else "JSON"
    detail = {"reason": "invalid", "message": f"{READING}{kind} processing encountered too many errors, giving up. Rows: {number + 1}; "
                                              f"errors: 1; max bad: 0; error percent: 0; {error.message}"}
    return Failed("invalid", f"{READING}{kind} table encountered too many errors, giving up. Rows: {number + 1}; errors: 1. "
                             "Please look into the errors[] collection for more details.", [detail])


def records(load, fields, data):
    """Functions that give a record each, or raise Invalid."""
    kind = load.get("sourceFormat", "CSV")
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise Failed("invalid", READING + "the data is no UTF-8") from None
    if kind == "NEWLINE_DELIMITED_JSON":
        return (lambda line=line: json_record(line) for line in content.split("\n") if line.strip())
    if kind == "CSV":
        return (lambda row=row: csv_record(load, fields, row) for row in csv_rows(load, content))
    raise Failed("invalid", "this server loads NEWLINE_DELIMITED_JSON and CSV")


def json_record(line):
    try:
        return json.loads(line)
    except ValueError:
        raise Invalid("", "JSON parsing error") from None


def csv_rows(load, content):
    source = io.StringIO(content, newline="")
    reader = csv.reader(source, delimiter=load.get("fieldDelimiter", ","), quotechar=load.get("quote") or '"')
    for number, row in enumerate(reader):
        if number >= int(load.get("skipLeadingRows", 0)) and row:
            yield row


def csv_record(load, fields, row):
    if len(row) > len(fields) and not load.get("ignoreUnknownValues"):
        raise Invalid("", "Too many values in row")
    if len(row) < len(fields) and not load.get("allowJaggedRows"):
        raise Invalid("", "Missing values in row: CSV table encountered too few columns")
    if not load.get("allowQuotedNewlines") and any("\n" in value for value in row):
        raise Invalid("", "Missing close double quote (\") character")
    nothing = load.get("nullMarker", "")
    return {field["name"]: None if value == nothing else value for field, value in zip(fields, row)}
