"""Datasets and tables of the BigQuery test server, and the errors it answers with."""

import hashlib
import json
import time

from values import BadSchema, normalize


class ApiError(Exception):
    """Becomes an HTTP error in the shape of Google's APIs."""

    STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
              412: "FAILED_PRECONDITION", 413: "INVALID_ARGUMENT"}

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def body(self):
        error = {"code": self.code, "message": self.message, "status": self.STATUS.get(self.code, "INTERNAL"),
                 "errors": [{"message": self.message, "domain": "global", "reason": self.reason}]}
        return {"error": error}


def not_found(kind, name):
    return ApiError(404, "notFound", f"Not found: {kind} {name}")


class Table:
    def __init__(self, reference, body):
        self.reference, self.rows = reference, []
        self.expiration = body.get("expirationTime")
        self.created = str(int(time.time() * 1000))
        self.seen_ids = {}
        self.set_schema(body.get("schema", {}).get("fields", []))

    def set_schema(self, fields):
        try:
            self.fields = normalize(fields)
        except BadSchema as error:
            raise ApiError(400, "invalid", str(error)) from None
        self.etag = hashlib.sha1(json.dumps([self.fields, time.time()]).encode()).hexdigest()

    @property
    def name(self):
        r = self.reference
        return f"{r['projectId']}:{r['datasetId']}.{r['tableId']}"

    def resource(self):
        r = self.reference
        out = {"kind": "bigquery#table", "id": self.name, "etag": self.etag, "tableReference": r, "type": "TABLE",
               "schema": {"fields": self.fields}, "numRows": str(len(self.rows)), "creationTime": self.created,
               "selfLink": f"/bigquery/v2/projects/{r['projectId']}/datasets/{r['datasetId']}/tables/{r['tableId']}"}
        if self.expiration:
            out["expirationTime"] = self.expiration
        return out

    def patch(self, body):
        if "schema" in body:
            old, new = self.fields, normalize(body["schema"]["fields"])
            check_evolution(old, new, "")
            self.set_schema(new)
            for row in self.rows:
                fill(new, row)
        if "expirationTime" in body:
            self.expiration = body["expirationTime"]


def check_evolution(old, new, path):
    """A patch may add columns that are not required, and relax required ones."""
    by_name = {field["name"].lower(): field for field in new}
    for field in old:
        other = by_name.pop(field["name"].lower(), None)
        if other is None:
            raise ApiError(400, "invalid", f"Provided Schema does not match Table. Field {path}{field['name']} is missing in new schema")
        relaxed = field["mode"] == "REQUIRED" and other["mode"] == "NULLABLE"
        if other["type"] != field["type"] or (other["mode"] != field["mode"] and not relaxed):
            raise ApiError(400, "invalid", f"Provided Schema does not match Table. Field {path}{field['name']} has changed")
        if field["type"] == "RECORD":
            check_evolution(field["fields"], other["fields"], path + field["name"] + ".")
    for field in by_name.values():
        if field["mode"] == "REQUIRED":
            raise ApiError(400, "invalid", f"Provided Schema does not match Table. Cannot add required fields: {path}{field['name']}")


def fill(fields, row):
    """Gives a stored row the columns that were added since."""
    for field in fields:
        value = row.setdefault(field["name"], [] if field["mode"] == "REPEATED" else None)
        if field["type"] == "RECORD":
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    fill(field["fields"], one)


class Catalog:
    def __init__(self):
        self.datasets = {}  # (project, dataset) -> resource
        self.tables = {}    # (project, dataset, table) -> Table

    def dataset(self, project, dataset):
        if (project, dataset) not in self.datasets:
            raise not_found("Dataset", f"{project}:{dataset}")
        return self.datasets[project, dataset]

    def create_dataset(self, project, body):
        name = body["datasetReference"]["datasetId"]
        if (project, name) in self.datasets:
            raise ApiError(409, "duplicate", f"Already Exists: Dataset {project}:{name}")
        resource = {"kind": "bigquery#dataset", "id": f"{project}:{name}", "location": body.get("location", "US"),
                    "datasetReference": {"projectId": project, "datasetId": name}}
        self.datasets[project, name] = resource
        return resource

    def table(self, project, dataset, table):
        self.dataset(project, dataset)
        found = self.tables.get((project, dataset, table))
        if found and found.expiration and int(found.expiration) < time.time() * 1000:
            del self.tables[project, dataset, table]
            found = None
        if not found:
            raise not_found("Table", f"{project}:{dataset}.{table}")
        return found

    def by_reference(self, reference):
        return self.table(reference["projectId"], reference["datasetId"], reference["tableId"])

    def create_table(self, project, dataset, body):
        self.dataset(project, dataset)
        reference = {"projectId": project, "datasetId": dataset, "tableId": body["tableReference"]["tableId"]}
        key = tuple(reference.values())
        if key in self.tables:
            raise ApiError(409, "duplicate", f"Already Exists: Table {project}:{dataset}.{reference['tableId']}")
        self.tables[key] = Table(reference, body)
        return self.tables[key]

    def delete_table(self, project, dataset, table):
        self.table(project, dataset, table)
        del self.tables[project, dataset, table]
