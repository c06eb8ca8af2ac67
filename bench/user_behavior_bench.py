"""Purchases and reviews to one row per customer: 4 M purchases, 1 M reviews, from CSV files to a Parquet file.

Against Spark as the jobs that this replaces were written (user_behavior_spark.py, local[2]) and against DuckDB's own command
line with the same query. Both come from PyPI, into build/bench-venv.

The join alone is over Parquet files that DuckDB wrote, which the engine reads by itself (files: parquet), as the command line does. What
is left between them is the start: 80 ms of CPU time for a pipeline over ten rows, half of it for loading DuckDB, Arrow (which writes the
result) and libcurl. Behind parquet.decode rows change hands: they come as Arrow, and fill the engine's tables before the query begins,
since only then all tables, and their columns, are known. Of 0.6 s of CPU time that takes 0.4, a quarter of it the kernel's, for
fresh memory; a tenth of all goes into the statistics that DuckDB keeps of a table's values.
"""

import pathlib
import subprocess
import sys

from harness import SOURCE, Command, absolute, at_least, at_most, main, patchbay, ratio, run_in_turn, scratch, show

EXAMPLE = SOURCE / "examples/user_behavior"
VENV = SOURCE / "build/bench-venv"
PACKAGES = ["pyspark==4.3.0", "numpy==2.4.6", "duckdb-cli==1.5.6"]
PURCHASES, REVIEWS = 4_000_000, 1_000_000
MEMORY = 900  # MB at most, also for ten times the input: what the pipeline's memory_limit and edges allow

PIPELINE = """
name: user_behavior
rejects: {{max: "2%"}}
nodes:
  - {{use: files, id: purchase_files, from: [], with: {{path: "{data}/user_purchase.csv"}}}}
  - use: csv.decode
    id: purchase_rows
    with: {{types: {{Quantity: int32, UnitPrice: "decimal128(8, 3)", CustomerID: int32}}, guess: false}}
  - use: fields
    id: purchases
    with: {{keep: [CustomerID, Quantity, UnitPrice], rename: {{CustomerID: customer_id, Quantity: quantity, UnitPrice: unit_price}}}}
  - {{use: files, id: review_files, from: [], with: {{path: "{data}/movie_review.csv"}}}}
  - {{use: csv.decode, id: review_rows, with: {{types: {{cid: int32, review_str: utf8, id_review: int64}}}}}}
  - {{use: tokenize, id: reviews, with: {{field: review_str, contains: {{positive_review: good}}}}}}
  - {{use: fields, id: reviewed, with: {{keep: [cid, positive_review]}}}}
  - {{use: sql, from: [purchases, reviewed], with: {{query_file: "{query}", stream: user_behavior, memory_limit: 512MiB, threads: 2}}}}
  - use: parquet.encode
  - {{use: files, id: out, with: {{path: "{data}/out/{{key}}"}}}}
"""

JOIN = """
name: join
nodes:
  - {{use: files, id: purchases, from: [], with: {{path: "{data}/out/purchases.parquet"}}}}
  - {{use: files, id: reviewed, from: [], with: {{path: "{data}/out/reviewed.parquet"}}}}
  - {{use: sql, from: [purchases, reviewed], with: {{query_file: "{query}", stream: joined, files: parquet, memory_limit: 512MiB, threads: 2}}}}
  - use: parquet.encode
  - {{use: files, id: out, with: {{path: "{data}/out/{{key}}"}}}}
"""

JOIN_ROWS = """
name: join_rows
nodes:
  - {{use: files, id: purchase_file, from: [], with: {{path: "{data}/out/purchases.parquet"}}}}
  - {{use: parquet.decode, id: purchases}}
  - {{use: files, id: review_file, from: [], with: {{path: "{data}/out/reviewed.parquet"}}}}
  - {{use: parquet.decode, id: reviewed}}
  - {{use: sql, from: [purchases, reviewed], with: {{query_file: "{query}", stream: joined, memory_limit: 512MiB, threads: 2}}}}
  - use: parquet.encode
  - {{use: files, id: out, with: {{path: "{data}/out/{{key}}"}}}}
"""

DUCKDB_STAGED = """
COPY purchases TO '{data}/out/purchases.parquet' (FORMAT parquet);
COPY reviewed TO '{data}/out/reviewed.parquet' (FORMAT parquet);
"""

DUCKDB_JOIN = """
SET threads = 2;
CREATE VIEW purchases AS FROM '{data}/out/purchases.parquet';
CREATE VIEW reviewed AS FROM '{data}/out/reviewed.parquet';
COPY ({query}) TO '{data}/out/duckdb.parquet' (FORMAT parquet);
"""

DUCKDB = """
SET threads = 2;
CREATE VIEW purchases AS SELECT CustomerID AS customer_id, Quantity AS quantity, UnitPrice AS unit_price
  FROM read_csv('{data}/user_purchase.csv', types = {{'Quantity': 'INTEGER', 'UnitPrice': 'DECIMAL(8,3)', 'CustomerID': 'INTEGER',
                 'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'InvoiceDate': 'VARCHAR'}});
CREATE VIEW reviewed AS SELECT try_cast(cid AS INTEGER) AS cid,
    list_contains(regexp_split_to_array(lower(review_str), '\\W'), 'good')::INTEGER AS positive_review
  FROM read_csv('{data}/movie_review.csv', types = {{'cid': 'VARCHAR', 'review_str': 'VARCHAR'}});
COPY ({query}) TO '{data}/out/duckdb.parquet' (FORMAT parquet);
"""


def prepare(folder):
    if not (VENV / "bin/duckdb").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    subprocess.run([sys.executable, EXAMPLE / "data/generate.py", folder, "--purchases", str(PURCHASES), "--reviews", str(REVIEWS)], check=True)
    (folder / "out").mkdir()
    query = (EXAMPLE / "user_behavior.sql").read_text().replace("FROM reviews", "FROM reviewed")
    (folder / "query.sql").write_text(query)
    (folder / "duckdb.sql").write_text(DUCKDB.format(data=folder, query=query))
    (folder / "join.sql").write_text(DUCKDB_JOIN.format(data=folder, query=query))
    (folder / "staged.sql").write_text((DUCKDB.split("COPY")[0] + DUCKDB_STAGED).format(data=folder))
    subprocess.run([VENV / "bin/duckdb", "-f", folder / "staged.sql"], check=True, stdout=subprocess.DEVNULL)
    (folder / "join.yaml").write_text(JOIN.format(data=folder, query=folder / "query.sql"))
    (folder / "join_rows.yaml").write_text(JOIN_ROWS.format(data=folder, query=folder / "query.sql"))
    (folder / "ours.yaml").write_text(PIPELINE.format(data=folder, query=folder / "query.sql"))


def run_pipeline(folder, name):
    return patchbay("--state-dir", folder / "state", "run", folder / f"{name}.yaml", "--progress", "none")


def faster(name, pairs, target=None):
    """How many times as fast as the other."""
    show(name, *(f"{sorted(pair[side]['wall'] for pair in pairs)[len(pairs) // 2]:.3g} s" for side in (0, 1)), 1 / ratio(pairs), target)


def benchmark():
    with scratch() as folder:
        prepare(folder)
        theirs = Command([VENV / "bin/duckdb", "-f", folder / "join.sql"])
        faster("join of files, of the DuckDB command line's speed", run_in_turn(run_pipeline(folder, "join"), theirs), at_least(0.8))
        faster("join behind parquet.decode, of the same", run_in_turn(run_pipeline(folder, "join_rows"), theirs))
        ours = run_pipeline(folder, "ours")
        duckdb = run_in_turn(ours, Command([VENV / "bin/duckdb", "-f", folder / "duckdb.sql"]), rounds=3)
        faster("from CSV, of the DuckDB command line's speed", duckdb, at_least(0.8))
        spark = Command([VENV / "bin/python", pathlib.Path(__file__).parent / "user_behavior_spark.py", folder],
                        env={"PYSPARK_PYTHON": str(VENV / "bin/python"), "SPARK_LOCAL_IP": "127.0.0.1"})
        faster("from CSV, of pyspark local[2]'s speed", run_in_turn(ours, spark, rounds=1), at_least(10))
        absolute("memory", max(pair[0]["memory"] for pair in duckdb) / 1e6, "MB", at_most(MEMORY))


main(benchmark)
