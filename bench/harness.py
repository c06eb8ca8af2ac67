"""What the benchmarks share: commands run in turn and compared, figures held to their targets, folders, data and servers.

A benchmark is a file NAME_bench.py that ends with harness.main(FUNCTION). It compares patchbay with a competitor by the ratio of
neighbouring runs, since other work on the machine touches both alike. Builds nothing; standard library only.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("PATCHBAY_BUILD_DIR", SOURCE / "build/release"))
os.environ["PATCHBAY_BUILD_DIR"] = str(BUILD)
sys.path.append(str(SOURCE / "tests/systems"))

from postgres_server import PASSWORD, Postgres  # noqa: E402
from server_process import Server  # noqa: E402,F401

FIGURES = {"wall": "s", "cpu": "s", "memory": "MB"}
short = []  # names of the figures that missed their target


@dataclasses.dataclass
class Command:
    """`before`, a function, runs untimed ahead of each run. Output is shown only where it fails, unless `out` names a file."""
    arguments: list
    env: dict = dataclasses.field(default_factory=dict)
    cwd: pathlib.Path | None = None
    before: object = None
    out: pathlib.Path | None = None


def patchbay(*arguments, **options):
    return Command([BUILD / "patchbay", *arguments], **options)


def run(command):
    """What one run cost: wall and CPU seconds, bytes of the largest process. A command that fails ends the benchmark."""
    if command.before:
        command.before()
    with tempfile.NamedTemporaryFile() as cost_file, tempfile.TemporaryFile() as errors, \
            (open(command.out, "w+b") if command.out else tempfile.TemporaryFile()) as out:
        timed = [sys.executable, "-I", "-S", SOURCE / "bench/timed.py", cost_file.name]
        subprocess.run([str(part) for part in [*timed, *command.arguments]], stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                       cwd=command.cwd, env={**os.environ, **command.env}, check=True)
        cost = json.load(cost_file)
        if cost["code"] != 0:
            said = "".join(file.read().decode()[-2000:] for file in (out, errors) if file.seek(0) == 0)
            sys.exit(f"{' '.join(map(str, command.arguments))}: exit {cost['code']}\n{said}")
    return cost


def run_in_turn(ours, theirs, rounds=5):
    """Costs of both, in pairs, behind one run of each that counts for nothing."""
    run(ours), run(theirs)
    return [(run(ours), run(theirs)) for _ in range(int(os.environ.get("PATCHBAY_BENCH_ROUNDS", rounds)))]


@dataclasses.dataclass
class Target:
    limit: float
    most: bool

    def __str__(self):
        return f"{'<=' if self.most else '>='} {self.limit:g}"

    def met(self, value):
        return value <= self.limit if self.most else value >= self.limit


def at_most(limit):
    return Target(limit, True)


def at_least(limit):
    return Target(limit, False)


def amount(value, unit):
    return f"{value / 1e6:.1f} MB" if unit == "MB" else f"{value:.4g} {unit}"


def show(name, ours, theirs, value, target=None):
    """`value` is what the target is about: the ratio, or without a competitor the figure."""
    verdict = "" if target is None else "ok" if target.met(value) else "short"
    if verdict == "short":
        short.append(name)
    shown = f"{value:.3g}" if theirs else ""
    print(f"{name:<46} {ours:>12} {theirs:>12} {shown:>9}  {str(target or ''):<9} {verdict}", flush=True)


def compare(name, ours, theirs, rounds=5, **targets):
    """Runs both in turn and shows wall, cpu and memory: medians, and the median ratio of neighbours, held to `wall=at_most(1.5)`.
    The pairs are returned."""
    pairs = run_in_turn(ours, theirs, rounds)
    for figure, unit in FIGURES.items():
        median = [amount(statistics.median(pair[side][figure] for pair in pairs), unit) for side in (0, 1)]
        show(f"{name}: {figure}", *median, ratio(pairs, figure), targets.get(figure))
    return pairs


def ratio(pairs, figure="wall"):
    return statistics.median(a[figure] / b[figure] for a, b in pairs)


def absolute(name, value, unit, target=None):
    """A figure without a competitor."""
    show(name, f"{value:.4g} {unit}", "", value, target)


@contextlib.contextmanager
def scratch():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres(durable=True):
    """A cluster of its own, with the password in PGPASSWORD for libpq and psql."""
    server = Postgres(durable)
    os.environ["PGPASSWORD"] = PASSWORD
    try:
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def service(script, folder, *arguments):
    """A server of tests/services: service("bigquery/server.py", folder)."""
    server = Server(script, folder, *arguments)
    try:
        yield server
    finally:
        server.stop()


def main(benchmark):
    print(f"{'':<46} {'patchbay':>12} {'other':>12} {'ratio':>9}  target", flush=True)
    benchmark()
    if short:
        sys.exit(f"short of the target: {', '.join(short)}")
