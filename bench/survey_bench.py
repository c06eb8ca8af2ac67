"""Survey answers into BigQuery: 200,000 nested records, against curl, which fetches the same pages and posts the same bytes."""

import json
import statistics
import sys
import urllib.parse
import urllib.request

from harness import Command, absolute, at_most, compare, main, patchbay, run, scratch, service

RECORDS = 200000
PAGE = 500
PIPELINE = """
name: survey
require: exactly_once
nodes:
  - use: qreviews
    with: {{base_url: "{source}", account_sid: {{secret: sid}}, api_key: {{secret: key}}, page_size: {page}}}
  - use: fields
    with: {{rename: camel}}
  - use: bq
    with: {{endpoint: "{bq}", project: demo, dataset: qreviews, credentials: {{secret: bq}}, tables: {{responses: results}}}}
"""
# One connection for all pages, one upload per epoch; it makes no tables and loads nothing twice.
CURL = """set -e
curl -sS --fail -K {folder}/pages >/dev/null
for data in {folder}/uploads/*; do
  session=$(curl -sS --fail -D - -o /dev/null -H "Authorization: Bearer {token}" -H 'Content-Type: application/json' \\
    -d @{folder}/job '{bq}/upload/bigquery/v2/projects/demo/jobs?uploadType=resumable' | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
  size=$(stat -c %s "$data")
  curl -sS --fail -o /dev/null -H Expect: -H "Content-Range: bytes 0-$((size - 1))/$size" -T "$data" "$session"
done
"""
JOB = {"configuration": {"load": {"sourceFormat": "NEWLINE_DELIMITED_JSON", "writeDisposition": "WRITE_TRUNCATE",
                                  "destinationTable": {"projectId": "demo", "datasetId": "qreviews", "tableId": "results"}}}}


def survey(folder, source, bq):
    file = folder / "survey.yaml"
    file.write_text(PIPELINE.format(source=source.url, bq=bq.url, page=PAGE))
    secrets = {"PATCHBAY_SECRET_SID": "demo-sid", "PATCHBAY_SECRET_KEY": "demo-key",
               "PATCHBAY_SECRET_BQ": json.dumps(bq.get("/_control/credentials"))}
    return patchbay("--state-dir", folder / "state", "run", file, "--full-refresh", "--output", "json", env=secrets,
                    out=folder / "report", before=lambda: bq.post("/_control/reset", None))


def save_uploads(folder, source):
    """What patchbay posts, a file per epoch, and in `pages` what it fetches."""
    saved = folder / "uploads"
    saved.mkdir()
    with service("bigquery/server.py", folder, "--counting", "--save", saved) as bq:
        run(survey(folder, source, bq))
        loaded = sum(table["rows"] for table in bq.get("/_control/tables"))
    if loaded != RECORDS:
        sys.exit(f"{loaded} rows were loaded, not {RECORDS}")
    sequences = [json.loads(line)["sequence"] for file in sorted(saved.iterdir()) for line in open(file, "rb")]
    cursors = [0, *sequences[PAGE - 1::PAGE]]
    pages = [f"url = \"{source.url}/api/client/v2/response?sequence__gt={cursor}&order_by=sequence&limit={PAGE}&omit_count=true\""
             for cursor in cursors]
    (folder / "pages").write_text("\n".join(["header = \"Authorization: ApiKey demo-sid:demo-key\"", *pages]))


def curl(folder, bq):
    (folder / "job").write_text(json.dumps(JOB))
    form = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": "demo-refresh"}).encode()
    with urllib.request.urlopen(bq.url + "/token", form) as answer:
        token = json.load(answer)["access_token"]
    return Command(["sh", "-c", CURL.format(folder=folder, bq=bq.url, token=token)])


def benchmark():
    with scratch() as folder, service("qreviews/server.py", folder, "--records", RECORDS, "--prerendered") as source:
        save_uploads(folder, source)
        with service("bigquery/server.py", folder, "--counting") as bq:
            pairs = compare("200,000 answers", survey(folder, source, bq), curl(folder, bq), wall=at_most(1.5))
    absolute("CPU for 100,000 answers", statistics.median(a["cpu"] for a, _ in pairs) * 100000 / RECORDS, "s", at_most(2))
    absolute("peak memory", statistics.median(a["memory"] for a, _ in pairs) / 2**20, "MiB", at_most(64))


main(benchmark)
