"""Jobs by id: load, copy, query."""

import csv
import gzip
import io
import json
import re
import time
import uuid

from catalog import ApiError, check_evolution, fill
from sql import Query
from values import Invalid, check_row, normalize


class Failed(Exception):
    """The job's errorResult."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason, self.message = reason, message


class Jobs:
    def __init__(self, catalog):
        self.catalog, self.jobs = catalog, {}
        self.pending_polls = 0  # how often a new job is still running when asked
        self.failures = []      # errorResults for the next jobs, whatever they would do

    def insert(self, project, body, data=None):
        reference = body.get("jobReference", {})
        job_id = reference.get("jobId") or "job_" + uuid.uuid4().hex
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,1024}", job_id):
            raise ApiError(400, "invalid", f"Invalid job ID \"{job_id}\"")
        if (project, job_id) in self.jobs:
            raise ApiError(409, "duplicate", f"Already Exists: Job {project}:US.{job_id}")
        configuration = body.get("configuration", {})
        job = {"kind": "bigquery#job", "id": f"{project}:US.{job_id}",
               "jobReference": {"projectId": project, "jobId": job_id, "location": reference.get("location", "US")},
               "configuration": configuration, "status": {"state": "DONE"},
               "statistics": {"creationTime": str(int(time.time() * 1000)), "startTime": str(int(time.time() * 1000)),
                              "endTime": str(int(time.time() * 1000))}}
        self.execute(job, configuration, data)
        self.jobs[project, job_id] = {"resource": job, "polls": self.pending_polls}
        return self.view(project, job_id)

    def execute(self, job, configuration, data):
        try:
            if self.failures:
                failure = self.failures.pop(0)
                raise Failed(failure["reason"], failure.get("message", "an injected failure"))
            if "load" in configuration:
                job["statistics"]["load"] = self.load(configuration["load"], data or b"")
            elif "copy" in configuration:
                self.copy(configuration["copy"])
            elif "query" in configuration:
                job["query"] = self.query(configuration["query"], job)
            else:
                raise ApiError(400, "required", "Required parameter is missing: configuration")
        except (Failed, ApiError) as error:
            result = {"reason": error.reason, "message": error.message}
            job["status"].update(errorResult=result, errors=[result])

    def view(self, project, job_id):
        if (project, job_id) not in self.jobs:
            raise ApiError(404, "notFound", f"Not found: Job {project}:{job_id}")
        entry = self.jobs[project, job_id]
        resource = {k: v for k, v in entry["resource"].items() if k != "query"}
        if entry["polls"] > 0:
            entry["polls"] -= 1
            return {**resource, "status": {"state": "RUNNING"}}
        return resource

    def target(self, configuration, schema):
        reference = configuration["destinationTable"]
        try:
            return self.catalog.by_reference(reference)
        except ApiError as error:
            if configuration.get("createDisposition", "CREATE_IF_NEEDED") == "CREATE_NEVER":
                raise
            body = {"tableReference": reference, "schema": {"fields": schema or []}}
            if error.code != 404 or not schema:
                raise
            return self.catalog.create_table(reference["projectId"], reference["datasetId"], body)

    def load(self, load, data):
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        given = load.get("schema", {}).get("fields")
        table = self.target(load, given)
        fields = normalize(given) if given else table.fields
        truncate = load.get("writeDisposition") == "WRITE_TRUNCATE"
        if load.get("writeDisposition") == "WRITE_EMPTY" and table.rows:
            raise Failed("duplicate", f"Already Exists: Table {table.name}")
        if given and not truncate:
            try:
                check_evolution(table.fields, fields, "")
            except ApiError as error:
                raise Failed("invalid", error.message) from None
            added = len(fields) > len(table.fields)
            if added and "ALLOW_FIELD_ADDITION" not in load.get("schemaUpdateOptions", []):
                raise Failed("invalid", "Provided Schema does not match Table. Cannot add fields")
        rows, bad = [], 0
        for number, record in enumerate(self.records(load, fields, data)):
            try:
                rows.append(check_row(fields, record, load.get("ignoreUnknownValues", False)))
            except Invalid as error:
                bad += 1
                if bad > int(load.get("maxBadRecords", 0)):
                    raise Failed("invalid", f"Error while reading data, error message: JSON parsing error in row {number}: "
                                            f"{error.message}") from None
        if truncate or fields != table.fields:
            table.set_schema(fields)
        table.rows = rows if truncate else table.rows + rows
        for row in table.rows:
            fill(table.fields, row)
        return {"inputFiles": "1", "inputFileBytes": str(len(data)), "outputRows": str(len(rows)), "badRecords": str(bad)}

    @staticmethod
    def records(load, fields, data):
        if load.get("sourceFormat", "CSV") == "NEWLINE_DELIMITED_JSON":
            for line in data.split(b"\n"):
                if line.strip():
                    try:
                        yield json.loads(line)
                    except ValueError:
                        raise Failed("invalid", "Error while reading data, error message: JSON table encountered too many errors") from None
        elif load.get("sourceFormat", "CSV") == "CSV":
            reader = csv.reader(io.StringIO(data.decode()), delimiter=load.get("fieldDelimiter", ","))
            for i, row in enumerate(reader):
                if i >= int(load.get("skipLeadingRows", 0)):
                    yield {f["name"]: (None if v == load.get("nullMarker", "") else v) for f, v in zip(fields, row)}
        else:
            raise Failed("invalid", "this server loads NEWLINE_DELIMITED_JSON and CSV")

    def copy(self, configuration):
        source = self.catalog.by_reference(configuration["sourceTable"])
        target = self.target(configuration, source.fields)
        disposition = configuration.get("writeDisposition", "WRITE_EMPTY")
        if disposition == "WRITE_EMPTY" and target.rows:
            raise Failed("duplicate", f"Already Exists: Table {target.name}")
        if disposition == "WRITE_TRUNCATE":
            target.set_schema(source.fields)
            target.rows = []
        else:
            kinds = lambda fields: sorted((f["name"].lower(), f["type"], f["mode"] == "REPEATED") for f in fields)
            if not set(kinds(source.fields)) <= set(kinds(target.fields)):
                raise Failed("invalid", f"Provided Schema does not match Table {target.name}.")
        target.rows = target.rows + [json.loads(json.dumps(row)) for row in source.rows]
        for row in target.rows:
            fill(target.fields, row)

    def query(self, query, job):
        if query.get("useLegacySql", True):
            raise ApiError(400, "invalidQuery", "this server knows GoogleSQL only: set useLegacySql to false")
        result = Query(self.catalog, query["query"])
        job["statistics"]["query"] = {"totalBytesProcessed": "0", "cacheHit": False}
        if result.affected is not None:
            job["statistics"]["query"]["numDmlAffectedRows"] = str(result.affected)
        return result
