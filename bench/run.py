"""Runs the benchmarks whose names are given, or all: run.py [NAME..]. Ends with 1 where a figure misses its target."""

import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
SUFFIX = "_bench.py"


def main(names):
    known = sorted(file.name.removesuffix(SUFFIX) for file in FOLDER.glob(f"*{SUFFIX}"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"bench: no {', '.join(unknown)}; there are {', '.join(known)}")
    failed = False
    for name in names or known:
        print(f"\n== {name}", flush=True)
        failed |= subprocess.run([sys.executable, str(FOLDER / f"{name}{SUFFIX}")]).returncode != 0
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
