"""CSV into Parquet and back, Parquet into Parquet, against DuckDB with one thread; Parquet into PostgreSQL against CSV into it."""

import json
import os
import subprocess

from harness import BUILD, SOURCE, Command, absolute, at_least, at_most, compare, main, postgres, scratch
from orders import write_orders

ROWS = 2_000_000
PYTHON = SOURCE / "build/venv/bin/python"  # made by ./dev venv
PIPELINE = """
name: {name}
nodes:
  - {{use: files, with: {{path: {source}, stream: orders}}}}
  - {{id: decode, use: {decode}}}
{rest}
"""
TO_FILE = """  - {{id: encode, use: {}}}
  - {{id: to, use: files, with: {{path: {}}}}}"""
TO_POSTGRES = "  - {{id: to, use: postgres, with: {{connection: \"{}\", password: {{secret: pg}}, tables: {{orders: orders}}, write: replace}}}}"


def pipeline(folder, name, source, decode, rest):
    path = folder / f"{name}.yaml"
    path.write_text(PIPELINE.format(name=name, source=folder / source, decode=decode, rest=rest))
    return Command([BUILD / "patchbay", "--state-dir", folder / "state", "run", path], cwd=folder)


def duckdb(folder, query):
    script = f"import duckdb; duckdb.execute('SET threads = 1'); duckdb.execute({query!r})"
    return Command([PYTHON, "-c", script], cwd=folder)


def share(name, command, node):
    """What the Parquet node alone takes of a run, and how fast that is."""
    done = subprocess.run([str(part) for part in [*command.arguments, "--output", "json"]], cwd=command.cwd, capture_output=True, check=True)
    nodes = {one["id"]: one["seconds_busy"] for one in json.loads(done.stdout)["nodes"]}
    absolute(f"{name}: busy in the Parquet node", nodes[node], "s")
    absolute(f"{name}: rows the Parquet node alone could do", ROWS / nodes[node] / 1e6, "M/s")


def benchmark():
    with scratch() as folder:
        write_orders(folder / "orders.csv", ROWS)
        write = pipeline(folder, "write", "orders.csv", "csv.decode", TO_FILE.format("parquet.encode", folder / "orders.parquet"))
        compare("CSV to Parquet", write, duckdb(folder, "COPY (FROM 'orders.csv') TO 'theirs.parquet' (FORMAT parquet, COMPRESSION zstd)"),
                wall=at_most(1 / 0.7))
        share("CSV to Parquet", write, "encode")
        read = pipeline(folder, "read", "orders.parquet", "parquet.decode", TO_FILE.format("csv.encode", folder / "back.csv"))
        compare("Parquet to CSV", read, duckdb(folder, "COPY (FROM 'orders.parquet') TO 'theirs.csv' (FORMAT csv, HEADER)"), wall=at_most(1 / 0.7))
        share("Parquet to CSV", read, "decode")
        both = pipeline(folder, "both", "theirs.parquet", "parquet.decode", TO_FILE.format("parquet.encode", folder / "again.parquet"))
        compare("Parquet to Parquet", both, duckdb(folder, "COPY (FROM 'theirs.parquet') TO 'again2.parquet' (FORMAT parquet, COMPRESSION zstd)"))
        into_postgres(folder)


def into_postgres(folder):
    with postgres() as server:
        os.environ["PATCHBAY_SECRET_PG"] = os.environ["PGPASSWORD"]
        loads = [pipeline(folder, f"load_{decode}", source, f"{decode}.decode", TO_POSTGRES.format(server.uri))
                 for decode, source in (("parquet", "orders.parquet"), ("csv", "orders.csv"))]
        compare("Parquet to PostgreSQL, against CSV", *loads, rounds=3, wall=at_most(1))


if __name__ == "__main__":
    main(benchmark)
