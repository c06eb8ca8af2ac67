"""How much there is: installed size of the program and of each plugin, stripped, and lines of code per plugin."""

import shutil
import subprocess

from harness import BUILD, SOURCE, absolute, main, scratch


def stripped(file, folder):
    copy = folder / file.name
    shutil.copy(file, copy)
    subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True)
    return copy.stat().st_size


def lines_of(folder):
    files = [file for kind in ("*.cc", "*.h", "*.c") for file in folder.rglob(kind) if not file.stem.endswith("_test")]
    return sum(len(file.read_text().splitlines()) for file in files if "tests" not in file.parts), max(
        (len(file.read_text().splitlines()) for file in files), default=0)


def benchmark():
    with scratch() as folder:
        absolute("patchbay, stripped", stripped(BUILD / "patchbay", folder) / 2**20, "MiB")
        for plugin in sorted((BUILD / "plugins").glob("*.so")):
            lines, longest = lines_of(SOURCE / "plugins" / plugin.stem)
            absolute(f"{plugin.stem}, stripped", stripped(plugin, folder) / 2**20, "MiB")
            absolute(f"{plugin.stem}, longest file {longest}", lines, "lines")


main(benchmark)
