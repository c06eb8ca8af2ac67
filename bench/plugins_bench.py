"""Twenty plugins: to list them, and to load them all, beside the linker alone, which loads the same files into `true`."""

import itertools
import json
import shutil
import statistics

from harness import BUILD, Command, absolute, at_most, main, patchbay, run_in_turn, scratch, show

PLUGINS = 20
ROUNDS = 25


def renamed(plugin, number, folder):
    """A copy of a plugin by another name, which its manifest, its note and its table say."""
    name = f"{plugin[:-1]}{number}"
    manifest = json.loads((BUILD / f"manifests/{plugin}.json").read_text())
    (folder / f"{name}.json").write_text(json.dumps({**manifest, "id": name, "library": f"{name}.so"}))
    library = (BUILD / f"plugins/{plugin}.so").read_bytes()
    (folder / f"{name}.so").write_bytes(library.replace(f"{plugin}\0".encode(), f"{name}\0".encode()))
    return folder / f"{name}.so"


def benchmark():
    with scratch() as folder:
        files = sorted((BUILD / "plugins").glob("*.so"))
        long_names = [file.stem for file in files if len(file.stem) > 4]
        names = ((plugin, number) for number in itertools.count(1) for plugin in long_names)
        while len(files) < PLUGINS:
            files.append(renamed(*next(names), folder))
        linker = Command([shutil.which("true")], env={"LD_PRELOAD": ":".join(map(str, files))})
        listed = run_in_turn(patchbay("--plugin-dir", folder, "plugins", "list"), linker, ROUNDS)
        absolute(f"list {len(files)} plugins", statistics.median(a["wall"] for a, _ in listed) * 1000, "ms", at_most(30))
        loaded = run_in_turn(patchbay("--plugin-dir", folder, "plugins", "verify"), linker, ROUNDS)
        mine, other = (statistics.median(pair[side]["wall"] for pair in loaded) * 1000 for side in (0, 1))
        show(f"load {len(files)} plugins", f"{mine:.1f} ms", f"{other:.1f} ms", mine / other)
        absolute(f"load {len(files)} plugins", mine, "ms", at_most(100))


main(benchmark)
