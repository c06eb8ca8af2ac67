"""Jobs by id: load, copy, query."""

import json
import re
import uuid

import clock
from catalog import Counted, check_evolution, fill
from errors import ApiError, Failed, exists, invalid, not_found
from loads import run_load, target_table
from queries import run as run_query

KINDS = ("load", "copy", "query")


class Jobs:
    """A job's work is done when it is inserted; pending polls only hold the news back."""

    def __init__(self, catalog):
        self.catalog, self.jobs = catalog, {}
        self.pending_polls = 0  # how often a new job is still running when asked
        self.failures = []      # errorResults for the next jobs, whatever they would do

    def insert(self, project, body, data=b""):
        """Runs the job. Returns its id."""
        reference, configuration = body.get("jobReference", {}), body.get("configuration", {})
        job_id, location = reference.get("jobId") or "job_" + uuid.uuid4().hex, reference.get("location") or "US"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,1024}", job_id):
            raise invalid(f"Invalid job ID \"{job_id}\"")
        kind = next((kind for kind in KINDS if kind in configuration), None)
        if not kind:
            raise invalid("Required parameter is missing: configuration", "required")
        if kind == "query" and configuration["query"].get("useLegacySql", True):
            raise invalid("this server knows GoogleSQL only: set useLegacySql to false", "invalidQuery")
        if (project, job_id) in self.jobs:
            raise exists("Job", f"{project}:{location}.{job_id}")
        at = clock.now_ms()
        job = {"kind": "bigquery#job", "id": f"{project}:{location}.{job_id}",
               "jobReference": {"projectId": project, "jobId": job_id, "location": location},
               "configuration": {**configuration, "jobType": kind.upper()}, "status": {"state": "DONE"},
               "statistics": {"creationTime": at, "startTime": at, "endTime": at}}
        self.execute(job, kind, data)
        self.jobs[project, job_id] = {"resource": job, "polls": self.pending_polls}
        return job_id

    def dry_run(self, project, body):
        """What a query would give. There is no job of it afterwards."""
        configuration, location = body["configuration"], body.get("jobReference", {}).get("location") or "US"
        if "query" not in configuration:
            raise invalid("dryRun is for queries")
        if configuration["query"].get("useLegacySql", True):
            raise invalid("this server knows GoogleSQL only: set useLegacySql to false", "invalidQuery")
        query = run_query(self.catalog, project, configuration["query"], dry=True)
        statistics = query_statistics(query)
        statistics.pop("numDmlAffectedRows", None)
        if query.schema is not None:
            statistics["schema"] = {"fields": query.schema}
        return {"kind": "bigquery#job", "jobReference": {"projectId": project, "location": location},
                "configuration": {**configuration, "jobType": "QUERY"}, "status": {"state": "DONE"},
                "statistics": {"creationTime": clock.now_ms(), "totalBytesProcessed": "0", "query": statistics}}

    def execute(self, job, kind, data):
        """A job that fails leaves no table behind."""
        configuration, before = job["configuration"][kind], dict(self.catalog.tables)
        try:
            if self.failures:
                failure = self.failures.pop(0)
                raise Failed(failure["reason"], failure.get("message", "an injected failure"), failure.get("errors", []))
            if kind == "query":
                job["query"] = run_query(self.catalog, job["jobReference"]["projectId"], configuration)
                job["statistics"]["query"] = query_statistics(job["query"])
            elif kind == "load":
                job["statistics"]["load"] = run_load(self.catalog, configuration, data)
            else:
                job["statistics"]["copy"] = self.copy(configuration)
        except (Failed, ApiError) as error:
            self.catalog.tables = before
            result = {"reason": error.reason, "message": error.message}
            job["status"].update(errorResult=result, errors=[result])
            job["status"]["errors"] += getattr(error, "more", [])

    def find(self, project, job_id, location=None):
        entry = self.jobs.get((project, job_id))
        if not entry or location not in (None, entry["resource"]["jobReference"]["location"]):
            raise not_found("Job", f"{project}:{job_id}")
        return entry

    def is_pending(self, entry):
        """Counts the question."""
        entry["polls"] -= 1
        return entry["polls"] >= 0

    def view(self, project, job_id, location=None):
        entry = self.find(project, job_id, location)
        resource = {k: v for k, v in entry["resource"].items() if k != "query"}
        return {**resource, "status": {"state": "RUNNING"}} if self.is_pending(entry) else resource

    def copy(self, configuration):
        references = configuration.get("sourceTables") or [configuration["sourceTable"]]
        sources = [self.catalog.by_reference(reference) for reference in references]
        target = target_table(self.catalog, configuration, sources[0].fields)
        check_alike(sources, target)
        disposition = configuration.get("writeDisposition", "WRITE_EMPTY")
        if disposition == "WRITE_EMPTY" and target.rows:
            raise Failed("duplicate", f"Already Exists: Table {target.name}")
        fields = sources[0].fields if disposition == "WRITE_TRUNCATE" else target.fields
        for source in sources:
            check_evolution(source.fields, fields, "")
        rows = sum((copied(source.rows) for source in sources), [])
        for row in rows:
            fill(fields, row)
        if fields != target.fields:
            target.set_schema(fields)
        target.rows = rows if disposition == "WRITE_TRUNCATE" else target.rows + rows
        return {"copiedRows": str(len(rows))}


def partition_of(table):
    """The column and the kind of a table's partitions; None where it has none."""
    time, numbers = table.kept.get("timePartitioning"), table.kept.get("rangePartitioning")
    if time:
        return time.get("field", "").lower(), time.get("type", "DAY")
    return (numbers["field"].lower(), json.dumps(numbers["range"], sort_keys=True)) if numbers else None


def check_alike(sources, target):
    """Sources of one job have one schema, and a table that is partitioned on a column takes tables that are partitioned alike."""
    for source in sources[1:]:
        if plain_schema(source.fields) != plain_schema(sources[0].fields):
            raise Failed("invalid", f"Provided Schema does not match Table {source.name}. The sources of a copy must have identical schemas")
    wanted = partition_of(target)
    for source in sources if wanted and wanted[0] else []:
        if partition_of(source) is None:
            raise Failed("invalid", "Failed to copy Non partitioned table to Column partitioned table: not supported.")
        if partition_of(source) != wanted:
            raise Failed("invalid", f"Incompatible table partitioning specification. Expects partitioning specification "
                                    f"{wanted}, but input partitioning specification is {partition_of(source)}")


def plain_schema(fields):
    return [(f["name"].lower(), f["type"], f["mode"], plain_schema(f.get("fields", []))) for f in fields]


def copied(rows):
    return rows if isinstance(rows, Counted) else [json.loads(json.dumps(row)) for row in rows]


def query_statistics(query):
    out = {"totalBytesProcessed": "0", "cacheHit": False, "statementType": query.kind}
    if query.affected is not None:
        out["numDmlAffectedRows"] = str(query.affected)
    return out
