"""The methods of the API: datasets, tables, rows, jobs, queries."""

import clock
from errors import ApiError, invalid
from values import Invalid, cell, check_row

DEDUPE_SECONDS = 60
MOST_BYTES = 10_000_000
MOST_ROWS = 50_000
PAGE = 10_000


def paged(items, query):
    """A page of the items, and the token of the next where there is one."""
    start = int(query.get("pageToken") or query.get("startIndex") or 0)
    end = start + int(query.get("maxResults") or PAGE)
    return items[start:end], str(end) if end < len(items) else None


def listing(kind, key, items, query):
    page, token = paged(items, query)
    out = {"kind": kind, key: [item.entry() for item in page], "totalItems": len(items)}
    return 200, {**out, "nextPageToken": token} if token else out


def row_page(fields, rows, query):
    page, token = paged(rows, query)
    micros = query.get("formatOptions.useInt64Timestamp", "").lower() == "true"
    out = {"rows": [{"f": [cell(f, row.get(f["name"]), micros) for f in fields]} for row in page]} if page else {}
    return {**out, "pageToken": token} if token else out


def check_etag(request, item):
    if request.headers.get("If-Match") not in (None, "*", item.etag):
        raise ApiError(412, "conditionNotMet", "Precondition check failed.")


def list_datasets(request, project):
    items = [dataset for key, dataset in request.world.catalog.datasets.items() if key[0] == project]
    return listing("bigquery#datasetList", "datasets", items, request.query)


def create_dataset(request, project):
    return 200, request.world.catalog.create_dataset(project, request.json).resource()


def get_dataset(request, *name):
    return 200, request.world.catalog.dataset(*name).resource()


def patch_dataset(request, *name):
    dataset = request.world.catalog.dataset(*name)
    check_etag(request, dataset)
    dataset.patch(request.json)
    return 200, dataset.resource()


def delete_dataset(request, *name):
    request.world.catalog.delete_dataset(*name, request.query.get("deleteContents", "").lower() == "true")
    return 204, None


def list_tables(request, *name):
    return listing("bigquery#tableList", "tables", request.world.catalog.tables_of(*name), request.query)


def create_table(request, *name):
    return 200, request.world.catalog.create_table(*name, request.json).resource()


def get_table(request, *name):
    return 200, request.world.catalog.table(*name).resource()


def patch_table(request, *name):
    table = request.world.catalog.table(*name)
    check_etag(request, table)
    table.patch(request.json)
    return 200, table.resource()


def delete_table(request, *name):
    request.world.catalog.delete_table(*name)
    return 204, None


def insert_all(request, *name):
    table, body = request.world.catalog.table(*name), request.json
    rows, skip, ignore = body.get("rows", []), body.get("skipInvalidRows"), body.get("ignoreUnknownValues", False)
    if len(request.body) > MOST_BYTES:
        raise ApiError(413, "requestTooLarge", "Request payload size exceeds the limit: 10485760 bytes.")
    if not rows or len(rows) > MOST_ROWS:
        raise invalid(f"{len(rows) or 'No'} rows present in the request, limit: {MOST_ROWS}.")
    if not table.fields:
        raise invalid("The destination table has no schema.")
    good, bad = [], {}
    for index, row in enumerate(rows):
        try:
            good.append((row.get("insertId"), check_row(table.fields, row["json"], ignore)))
        except Invalid as error:
            bad[index] = row_error("invalid", error.location, error.message)
    if bad and not skip:
        bad = {index: bad.get(index) or row_error("stopped") for index in range(len(rows))}
        good = []
    for insert_id, row in good:
        append_once(table, insert_id, row)
    errors = [{"index": index, "errors": [error]} for index, error in bad.items()]
    return 200, {"kind": "bigquery#tableDataInsertAllResponse", **({"insertErrors": errors} if errors else {})}


def row_error(reason, location="", message=""):
    return {"reason": reason, "location": location, "debugInfo": "", "message": message}


def append_once(table, insert_id, row):
    seen = table.seen_ids.get(insert_id, 0) if insert_id else 0
    if clock.now() - seen > DEDUPE_SECONDS:
        table.rows.append(row)
        table.seen_ids[insert_id] = clock.now()


def list_rows(request, *name):
    table, query = request.world.catalog.table(*name), request.query
    fields = table.fields
    if "selectedFields" in query:
        wanted = query["selectedFields"].lower().split(",")
        fields = [f for f in fields if f["name"].lower() in wanted]
        if len(fields) != len(wanted):
            raise invalid("selectedFields: this server selects whole columns that are there")
    return 200, {"kind": "bigquery#tableDataList", "totalRows": str(len(table.rows)), "etag": table.etag,
                 **row_page(fields, table.rows, query)}


def insert_job(request, project):
    if request.json.get("configuration", {}).get("dryRun"):
        return 200, request.world.jobs.dry_run(project, request.json)
    if "load" in request.json.get("configuration", {}):
        raise invalid("this server loads what is uploaded, not sourceUris", "notImplemented")
    jobs = request.world.jobs
    return 200, jobs.view(project, jobs.insert(project, request.json))


def get_job(request, project, job):
    return 200, request.world.jobs.view(project, job, request.query.get("location"))


def cancel_job(request, project, job):
    """Too late: the work is done when a job is inserted."""
    return 200, {"kind": "bigquery#jobCancelResponse", "job": request.world.jobs.view(project, job, request.query.get("location"))}


def query(request, project):
    """The same requestId is the same query."""
    body, jobs, ids = request.json, request.world.jobs, request.world.request_ids
    job = ids.get(body.get("requestId"))
    if not job:
        configuration = {"query": {"query": body["query"], "useLegacySql": body.get("useLegacySql", True)}}
        job = jobs.insert(project, {"jobReference": {"location": body.get("location")}, "configuration": configuration})
    if body.get("requestId"):
        ids[body["requestId"]] = job
    options = {f"formatOptions.{name}": str(value) for name, value in body.get("formatOptions", {}).items()}
    return 200, results(jobs, jobs.find(project, job), {"maxResults": body.get("maxResults"), **options})


def query_results(request, project, job):
    jobs = request.world.jobs
    return 200, results(jobs, jobs.find(project, job, request.query.get("location")), request.query)


def results(jobs, entry, query_options):
    job = entry["resource"]
    reply = {"kind": "bigquery#queryResponse", "jobReference": job["jobReference"], "jobComplete": False}
    if jobs.is_pending(entry):
        return reply
    error = job["status"].get("errorResult")
    if error:
        raise ApiError(404 if error["reason"] == "notFound" else 400, error["reason"], error["message"])
    if "query" not in job:
        raise invalid(f"Job {job['id']} is not a query job")
    result = job["query"]
    reply.update(jobComplete=True, cacheHit=False, totalBytesProcessed="0")
    if result.affected is not None:
        reply["numDmlAffectedRows"] = str(result.affected)
    if result.schema is not None:
        reply.update(schema={"fields": result.schema}, totalRows=str(len(result.rows)))
        reply.update(row_page(result.schema, result.rows, query_options))
    return reply


DATASET, TABLE = "projects/*/datasets/*", "projects/*/datasets/*/tables/*"
ROUTES = [
    ("GET", "projects/*/datasets", list_datasets), ("POST", "projects/*/datasets", create_dataset),
    ("GET", DATASET, get_dataset), ("PATCH", DATASET, patch_dataset), ("DELETE", DATASET, delete_dataset),
    ("GET", DATASET + "/tables", list_tables), ("POST", DATASET + "/tables", create_table),
    ("GET", TABLE, get_table), ("PATCH", TABLE, patch_table), ("DELETE", TABLE, delete_table),
    ("POST", TABLE + "/insertAll", insert_all), ("GET", TABLE + "/data", list_rows),
    ("POST", "projects/*/jobs", insert_job), ("GET", "projects/*/jobs/*", get_job),
    ("POST", "projects/*/jobs/*/cancel", cancel_job),
    ("POST", "projects/*/queries", query), ("GET", "projects/*/queries/*", query_results),
]


def find(method, path):
    """The function for a path's parts, and the parts that the pattern leaves open."""
    for wanted, pattern, function in ROUTES:
        parts = pattern.split("/")
        if wanted == method and len(parts) == len(path) and all(p in ("*", q) for p, q in zip(parts, path)):
            return function, [q for p, q in zip(parts, path) if p == "*"]
    raise ApiError(404, "notFound", f"this server does not know {method} {'/'.join(path)}")
