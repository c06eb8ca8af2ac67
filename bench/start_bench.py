"""What it takes to start: a run that finds nothing new, and validate, beside psql's `select 1`."""

import json
import statistics

from harness import Command, absolute, at_most, main, patchbay, postgres, run, run_in_turn, scratch, service, show

ROUNDS = 15
RECORDS = 100
PIPELINE = """
name: {name}
nodes:
  - use: qreviews
    with: {{base_url: "{source}", account_sid: {{secret: sid}}, api_key: {{secret: key}}}}
  - use: fields
    with: {{rename: camel}}
  - {sink}
"""
BQ = '{{use: bq, with: {{endpoint: "{}", project: demo, dataset: qreviews, credentials: {{secret: bq}}}}}}'


def pipeline(folder, name, source, sink):
    file = folder / f"{name}.yaml"
    file.write_text(PIPELINE.format(name=name, source=source.url, sink=sink))
    return file


def secrets(bq):
    return {"PATCHBAY_SECRET_SID": "demo-sid", "PATCHBAY_SECRET_KEY": "demo-key",
            "PATCHBAY_SECRET_BQ": json.dumps(bq.get("/_control/credentials"))}


def against(name, ours, psql):
    """Held to twice psql's time, or to 60 ms where that is more."""
    pairs = run_in_turn(ours, psql, ROUNDS)
    mine, other = (statistics.median(pair[side]["wall"] for pair in pairs) * 1000 for side in (0, 1))
    show(f"{name}: wall", f"{mine:.1f} ms", f"{other:.1f} ms", mine / other, at_most(round(max(2, 60 / other), 2)))
    absolute(f"{name}: cpu", statistics.median(a["cpu"] for a, _ in pairs) * 1000, "ms")


def benchmark():
    with scratch() as folder, postgres() as server, service("qreviews/server.py", folder, "--records", RECORDS) as source, \
            service("bigquery/server.py", folder) as bq:
        env = secrets(bq)
        psql = Command(["psql", "-XAtc", "select 1", server.uri])
        sinks = {"sqlite": f"{{use: sqlite, with: {{path: {folder}/out.db}}}}", "bq": BQ.format(bq.url)}
        for name, sink in sinks.items():
            file = pipeline(folder, name, source, sink)
            nothing_new = patchbay("--state-dir", folder / "state", "run", file, "--progress", "none", env=env)
            run(nothing_new)  # the first finds everything
            against(f"nothing new, into {name}", nothing_new, psql)
        validate = run_in_turn(patchbay("validate", folder / "bq.yaml", env=env), psql, ROUNDS)
        absolute("validate", statistics.median(a["wall"] for a, _ in validate) * 1000, "ms", at_most(30))


main(benchmark)
