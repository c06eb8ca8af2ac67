"""`patchbay copy` of 4 M orders, orders.csv.gz into Parquet, against the slowest of its own stages alone, and against DuckDB.

With two cores the copy can be no faster than half of what its stages take together, which is about what the slowest takes alone.
"""

import json
import os
import statistics
import subprocess

from harness import SOURCE, Command, absolute, at_most, main, patchbay, ratio, run, run_in_turn, scratch, show
from orders import write_orders

ROWS = int(os.environ.get("PATCHBAY_BENCH_ROWS", 4_000_000))
ROUNDS = int(os.environ.get("PATCHBAY_BENCH_ROUNDS", 3))
PYTHON = SOURCE / "build/venv/bin/python"  # made by ./dev venv
DUCKDB = "import duckdb; duckdb.execute(\"COPY (FROM 'orders.csv.gz') TO 'theirs.parquet' (FORMAT parquet, COMPRESSION zstd)\")"
# A copy that has the stage and as little else as can be, so that there is a core for each thread that works.
STAGES = {"compress.decode": ("orders.csv.gz", "plain.csv"), "csv.decode": ("orders.csv", "plain.parquet"), "parquet.encode": ("orders.csv", "plain.parquet")}


def copy(folder, source, target):
    return patchbay("--state-dir", folder / "state", "copy", source, target, cwd=folder)


def busy(folder, stage):
    """The seconds in which the stage did not wait for its neighbours."""
    command = copy(folder, *STAGES[stage])
    done = subprocess.run([str(part) for part in [*command.arguments, "--output", "json"]], cwd=folder, capture_output=True, check=True)
    return next(node["seconds_busy"] for node in json.loads(done.stdout)["nodes"] if node["use"] == stage)


def benchmark():
    with scratch() as folder:
        write_orders(folder / "orders.csv", ROWS)
        subprocess.run(["gzip", "--keep", "-6", folder / "orders.csv"], check=True)
        command = copy(folder, "orders.csv.gz", "whole.parquet")
        run(command)
        rounds = [(run(command), {stage: busy(folder, stage) for stage in STAGES}) for _ in range(ROUNDS)]
        for stage in STAGES:
            absolute(f"{stage} alone", statistics.median(alone[stage] for _, alone in rounds), "s")
        slowest = [max(alone.values()) for _, alone in rounds]
        walls = [cost["wall"] for cost, _ in rounds]
        show("the copy, against its slowest stage", f"{statistics.median(walls):.4g} s", f"{statistics.median(slowest):.4g} s",
             statistics.median(wall / most for wall, most in zip(walls, slowest)), at_most(1.2))
        pairs = run_in_turn(command, Command([PYTHON, "-c", DUCKDB], cwd=folder), ROUNDS)
        absolute("the copy: times as fast as DuckDB", 1 / ratio(pairs), "x")
        absolute("the copy: memory", max(cost["memory"] for cost, _ in rounds) / 1e6, "MB")


if __name__ == "__main__":
    main(benchmark)
