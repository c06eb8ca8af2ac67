"""A build from nothing with two jobs and without ccache, then the whole test suite; takes a quarter of an hour."""

import os
import shutil
import subprocess

from harness import SOURCE, Command, absolute, at_most, main, run, scratch


def checkout(folder):
    """The last commit, with what ./dev would download beside it."""
    tree = folder / "patchbay"
    subprocess.run(["git", "clone", "-q", str(SOURCE), str(tree)], check=True)
    shutil.copytree(SOURCE / "build/deps", tree / "build/deps")
    return tree


def benchmark():
    with scratch() as folder:
        tree = checkout(folder)
        env = {"CCACHE_DISABLE": "1", "PATCHBAY_JOBS": str(min(2, os.cpu_count()))}
        built = run(Command(["./dev", "build"], env=env, cwd=tree))
        absolute("build from nothing: wall", built["wall"] / 60, "min", at_most(6))
        absolute("build from nothing: cpu", built["cpu"] / 60, "min")
        tested = run(Command(["./dev", "test"], env=env, cwd=tree))
        absolute("./dev test after a build: wall", tested["wall"] / 60, "min", at_most(10))


main(benchmark)
