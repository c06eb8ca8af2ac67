"""Datasets and tables of the BigQuery test server."""

import re
import uuid

import clock
from errors import exists, invalid, not_found
from values import BadSchema, normalize

DATASET_KEPT = ("description", "friendlyName", "labels", "defaultTableExpirationMs")
TABLE_KEPT = ("description", "friendlyName", "labels", "timePartitioning", "rangePartitioning", "clustering", "expirationTime",
              "requirePartitionFilter")
NOT_MADE = ("view", "materializedView", "externalDataConfiguration", "snapshotDefinition", "cloneDefinition")


def checked_fields(fields):
    try:
        return normalize(fields)
    except BadSchema as error:
        raise invalid(str(error)) from None


class Dataset:
    def __init__(self, project, name, body):
        if not re.fullmatch(r"[A-Za-z0-9_]{1,1024}", name):
            raise invalid(f"Invalid dataset ID \"{name}\".")
        self.project, self.name = project, name
        self.location, self.created = body.get("location", "US"), clock.now_ms()
        self.kept = {}
        self.patch(body)

    def patch(self, body):
        self.kept.update({key: body[key] for key in DATASET_KEPT if key in body})
        self.etag, self.modified = uuid.uuid4().hex, clock.now_ms()

    def entry(self):
        return {"kind": "bigquery#dataset", "id": f"{self.project}:{self.name}", "location": self.location,
                "datasetReference": {"projectId": self.project, "datasetId": self.name}, **given(self.kept)}

    def resource(self):
        return {**self.entry(), "etag": self.etag, "creationTime": self.created, "lastModifiedTime": self.modified}


class Table:
    def __init__(self, reference, body, location="US"):
        if not re.fullmatch(r"[\w $-]{1,1024}", reference["tableId"]):
            raise invalid(f"Invalid table ID \"{reference['tableId']}\".")
        for kind in NOT_MADE:
            if kind in body:
                raise invalid(f"this server makes tables only, not {kind}", "notImplemented")
        self.reference, self.location, self.created = reference, location, clock.now_ms()
        self.rows, self.seen_ids, self.kept = [], {}, {}
        self.set_schema(body.get("schema", {}).get("fields", []))
        self.keep(body)

    def changed(self):
        self.etag, self.modified = uuid.uuid4().hex, clock.now_ms()

    def set_schema(self, fields):
        self.fields = checked_fields(fields)
        self.changed()

    def keep(self, body):
        self.kept.update({key: body[key] for key in TABLE_KEPT if key in body})
        self.changed()

    @property
    def name(self):
        r = self.reference
        return f"{r['projectId']}:{r['datasetId']}.{r['tableId']}"

    @property
    def expiration(self):
        return self.kept.get("expirationTime")

    def entry(self):
        return {"kind": "bigquery#table", "id": self.name, "tableReference": self.reference, "type": "TABLE",
                "creationTime": self.created, **given(self.kept)}

    def resource(self):
        return {**self.entry(), "etag": self.etag, "schema": {"fields": self.fields}, "numRows": str(len(self.rows)),
                "lastModifiedTime": self.modified, "location": self.location}

    def patch(self, body):
        if "schema" in body:
            new = checked_fields(body["schema"]["fields"])
            check_evolution(self.fields, new, "")
            self.set_schema(new)
            for row in self.rows:
                fill(new, row)
        self.keep(body)


def given(values):
    return {key: value for key, value in values.items() if value is not None}


def check_evolution(old, new, path):
    """A patch may add columns that are not required, and relax required ones."""
    wrong = "Provided Schema does not match Table. "
    by_name = {field["name"].lower(): field for field in new}
    for field in old:
        other = by_name.pop(field["name"].lower(), None)
        if other is None:
            raise invalid(f"{wrong}Field {path}{field['name']} is missing in new schema")
        relaxed = field["mode"] == "REQUIRED" and other["mode"] == "NULLABLE"
        if other["type"] != field["type"] or (other["mode"] != field["mode"] and not relaxed):
            raise invalid(f"{wrong}Field {path}{field['name']} has changed")
        if field["type"] == "RECORD":
            check_evolution(field["fields"], other["fields"], path + field["name"] + ".")
    for field in by_name.values():
        if field["mode"] == "REQUIRED":
            raise invalid(f"{wrong}Cannot add required fields: {path}{field['name']}")


def fill(fields, row):
    """Gives a stored row the columns that it lacks."""
    for field in fields:
        value = row.setdefault(field["name"], [] if field["mode"] == "REPEATED" else None)
        if field["type"] == "RECORD":
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    fill(field["fields"], one)


class Counted:
    """In place of rows: how many they are, and none of them."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __iter__(self):
        return iter(())

    def __add__(self, other):
        return Counted(len(self) + len(other))

    __radd__ = __add__


class Catalog:
    def __init__(self, counting=False):
        self.counting = counting
        self.datasets = {}  # (project, dataset) -> Dataset
        self.tables = {}    # (project, dataset, table) -> Table

    def dataset(self, project, dataset):
        if (project, dataset) not in self.datasets:
            raise not_found("Dataset", f"{project}:{dataset}")
        return self.datasets[project, dataset]

    def create_dataset(self, project, body):
        name = body["datasetReference"]["datasetId"]
        if (project, name) in self.datasets:
            raise exists("Dataset", f"{project}:{name}")
        self.datasets[project, name] = Dataset(project, name, body)
        return self.datasets[project, name]

    def delete_dataset(self, project, dataset, with_tables):
        self.dataset(project, dataset)
        tables = [table.reference["tableId"] for table in self.tables_of(project, dataset)]
        if tables and not with_tables:
            raise invalid(f"Dataset {project}:{dataset} is still in use", "resourceInUse")
        for table in tables:
            del self.tables[project, dataset, table]
        del self.datasets[project, dataset]

    def tables_of(self, project, dataset):
        self.dataset(project, dataset)
        self.drop_expired()
        return [table for key, table in self.tables.items() if key[:2] == (project, dataset)]

    def drop_expired(self):
        over = [key for key, t in self.tables.items() if t.expiration and int(t.expiration) < clock.now() * 1000]
        for key in over:
            del self.tables[key]

    def table(self, project, dataset, table):
        self.dataset(project, dataset)
        self.drop_expired()
        if (project, dataset, table) not in self.tables:
            raise not_found("Table", f"{project}:{dataset}.{table}")
        return self.tables[project, dataset, table]

    def by_reference(self, reference):
        return self.table(reference["projectId"], reference["datasetId"], reference["tableId"])

    def create_table(self, project, dataset, body):
        location = self.dataset(project, dataset).location
        self.drop_expired()
        reference = {"projectId": project, "datasetId": dataset, "tableId": body["tableReference"]["tableId"]}
        key = tuple(reference.values())
        table = Table(reference, body, location)
        if key in self.tables:
            raise exists("Table", table.name)
        self.tables[key] = table
        return table

    def delete_table(self, project, dataset, table):
        self.table(project, dataset, table)
        del self.tables[project, dataset, table]
