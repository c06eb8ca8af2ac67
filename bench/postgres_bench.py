"""CSV into PostgreSQL against psql's \\copy, and PostgreSQL into PostgreSQL against psql | psql, with one connection and with two.

Where the server shares two cores with the programs, two connections can't reach their target: of the 4 s of CPU time that a million rows
take there, patchbay has 0.5 s (psql | psql 0.4 s) and the server the rest, which nobody's client makes less. Without any work of its
own patchbay would be 1.4 times as fast; it spends a fifth of its share in the kernel, a fifth on numbers and a tenth in copying bytes.
"""

import os

from harness import Command, absolute, at_least, at_most, compare, main, patchbay, postgres, ratio, run, scratch
from orders import SQL_COLUMNS, write_orders

ROWS = int(os.environ.get("PATCHBAY_BENCH_ROWS", 1_000_000))
MEMORY = at_most(32)  # MB, at any size
NODE = "  - {{id: {id}, use: postgres, with: {{connection: \"{uri}\", password: {{secret: pg}}{options}}}}}\n"


def pipeline(folder, name, nodes, top=""):
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\ncommit: {{rows: 100000000, bytes: 100000000000, every: 1h}}\n{top}nodes:\n{nodes}")
    return path


def benchmark():
    with scratch() as folder, postgres() as server:
        os.environ["PATCHBAY_SECRET_PG"] = os.environ["PGPASSWORD"]
        write_orders(folder / "orders.csv", ROWS)
        psql = str(server.bin / "psql")

        def empty():
            server.sql(f"DROP TABLE IF EXISTS target; CREATE TABLE target ({SQL_COLUMNS}); CHECKPOINT")

        def node(name, options):
            return NODE.format(id=name, uri=server.uri, options=options)

        def ours(path):
            return patchbay("--state-dir", folder / "state", "run", path, "--full-refresh", cwd=folder, before=empty)

        load = pipeline(folder, "load", "  - {use: files, with: {path: orders.csv}}\n"
                        "  - {use: csv.decode, with: {types: {id: int64, customer: utf8, amount: 'decimal128(12, 2)', quantity: int32, ordered_on: date32,"
                        " shipped_at: 'timestamp[us, UTC]', paid: bool, note: utf8}}}\n" + node("to", ", tables: {orders: target}"))
        theirs = Command([psql, "-Xq", server.uri, "-c", f"\\copy target from '{folder}/orders.csv' with (format csv, header)"], before=empty)
        pairs = compare("CSV to PostgreSQL", ours(load), theirs)
        faster("CSV to PostgreSQL", pairs, 1.3)

        server.sql(f"CREATE TABLE orders ({SQL_COLUMNS})")
        run(Command([psql, "-Xq", server.uri, "-c", f"\\copy orders from '{folder}/orders.csv' with (format csv, header)"]))
        server.sql("VACUUM ANALYZE orders")
        pipe = Command(["sh", "-c", f"'{psql}' -Xq '{server.uri}' -c 'copy orders to stdout' | '{psql}' -Xq '{server.uri}' -c 'copy target from stdin'"], before=empty)
        for connections, least in ((1, 0.97), (2, 1.4)):
            name = f"PostgreSQL to PostgreSQL, {connections} at a time"
            copy = pipeline(folder, f"copy{connections}", node("from", f", tables: {{orders: orders}}, partitions: {connections}") + node("to", ", tables: {orders: target}"),
                            f"concurrency: {connections}\n")
            faster(name, compare(name, ours(copy), pipe), least)


def faster(name, pairs, least):
    absolute(f"{name}: times as fast", 1 / ratio(pairs), "x", at_least(least))
    absolute(f"{name}: memory", max(a["memory"] for a, _ in pairs) / 1e6, "MB", MEMORY)


if __name__ == "__main__":
    main(benchmark)
