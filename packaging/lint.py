"""What lintian does not look at: the ELF files in the packages, their sizes, and traces of the folder they were built in.

usage: lint.py FOLDER SOURCE [quick]     FOLDER holds the .deb files, SOURCE is the tree they were built from
quick: compiled without optimisation and hardening, so that says nothing about those, nor about sizes.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

MEGABYTE = 1_000_000
ENTRY = "patchbay_plugin_v1"
LARGEST_HOST = 3 * MEGABYTE
LARGEST_PLUGIN, LARGEST_OF = 1 * MEGABYTE, {"parquet": 2 * MEGABYTE}
# Travel with a plugin as their makers built them.
FOREIGN = ("/patchbay/arrow/", "/patchbay/duckdb/")


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, errors="replace").stdout


class Elf:
    def __init__(self, file):
        self.sections = run("readelf", "--wide", "--sections", file)
        self.segments = run("readelf", "--wide", "--segments", file)
        self.dynamic = run("readelf", "--wide", "--dynamic", file)
        symbols = run("readelf", "--wide", "--dyn-syms", file)
        fields = [line.split() for line in symbols.splitlines() if re.match(r"\s*\d+:", line)]
        named = [(one[6], one[7].split("@")[0]) for one in fields if len(one) > 7]
        self.undefined = {name for section, name in named if section == "UND"}
        self.exports = {name for section, name in named if section != "UND"}

    def faults(self, quick):
        if re.search(r"GNU_STACK\s.*\sRWE\s", self.segments):
            yield "its stack is executable"
        if "TEXTREL" in self.dynamic:
            yield "its text is relocated; compile it with -fPIC"
        if ".debug_info" in self.sections or ".symtab" in self.sections:
            yield "is not stripped"
        for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", self.dynamic):
            if not path.startswith("$ORIGIN/"):
                yield f"looks for libraries in {path}"
        if quick:
            return
        if "GNU_RELRO" not in self.segments or not re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", self.dynamic):
            yield "is linked without -z relro -z now"
        if "INTERP" in self.segments and not re.search(r"FLAGS_1.*\bPIE\b", self.dynamic):
            yield "is no position-independent executable"
        if "__stack_chk_fail" not in self.undefined:
            yield "is compiled without -fstack-protector-strong"
        # A plugin may have no call that can be checked.
        if "INTERP" in self.segments and not any(name.endswith("_chk") and name != "__stack_chk_fail" for name in self.undefined):
            yield "is compiled without -D_FORTIFY_SOURCE=2"


def is_elf(file):
    with open(file, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def check_size(package, file, size):
    plugin = re.fullmatch(r".*/patchbay/plugins/(.*)\.so", file)
    if plugin and size > LARGEST_OF.get(plugin[1], LARGEST_PLUGIN):
        yield f"{package}: {file} has {size} bytes, more than a plugin of its kind may have"


def check_package(deb, source, quick):
    """The faults of one package; the package's own debug symbols are what the linker made of them."""
    package = deb.name.split("_")[0]
    with tempfile.TemporaryDirectory() as folder:
        run("dpkg-deb", "--extract", deb, folder)
        files = [path for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in files:
            file = "/" + str(path.relative_to(folder))
            if str(source).encode() in path.read_bytes():
                yield f"{package}: {file} names the folder it was built in"
            if any(part in file for part in FOREIGN) or not is_elf(path) or package.endswith("-dbgsym") or path.suffix == ".a":
                continue
            elf = Elf(path)
            yield from (f"{package}: {file} {fault}" for fault in elf.faults(quick))
            if "/patchbay/plugins/" in file and elf.exports != {ENTRY}:
                yield f"{package}: {file} exports {', '.join(sorted(elf.exports))}; it must be {ENTRY} alone"
            if not quick:
                yield from check_size(package, file, path.stat().st_size)
        total = sum(path.stat().st_size for path in files)
        if package == "patchbay" and not quick and total > LARGEST_HOST:
            yield f"{package}: installs {total} bytes, more than {LARGEST_HOST}"


def main():
    folder, source = map(pathlib.Path, sys.argv[1:3])
    quick = sys.argv[3:] == ["quick"]
    debs = sorted(folder.glob("*.deb"))
    faults = [fault for deb in debs for fault in check_package(deb, source, quick)]
    if not debs:
        faults.append(f"{folder}: holds no packages")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
