"""What the host costs: components in plugins under it, against the same ones called in a loop (static_chain)."""

import statistics

from harness import BUILD, Command, absolute, at_least, at_most, main, patchbay, ratio, run_in_turn, scratch, show

LARGE = (400, 65536)  # batches, rows of each
SMALL = 100000        # batches of one row
PASSES = 4
CHAIN = """
commit: {{rows: 1000000000, bytes: 1000GB, every: 1h}}
nodes:
  - {{id: rows, use: chain.rows, with: {{batches: {}, batch_rows: {}}}}}
{}  - {{id: total, use: chain.total}}
"""


def pipeline(folder, name, batches, batch_rows, transforms):
    file = folder / f"{name}.yaml"
    nodes = "".join(f"  - {{id: t{number}, use: chain.{use}}}\n" for number, use in enumerate(transforms))
    file.write_text(CHAIN.format(batches, batch_rows, nodes))
    return patchbay("--plugin-dir", BUILD / "tests/plugins", "--state-dir", folder / "state", "run", file, "--progress", "none")


def throughput(folder):
    ours = pipeline(folder, "large", *LARGE, ["gross"])
    pairs = run_in_turn(ours, Command([BUILD / "bench/static_chain", *LARGE]))
    rows = LARGE[0] * LARGE[1] / 1e6
    walls = [statistics.median(pair[side]["wall"] for pair in pairs) for side in (0, 1)]
    show("throughput, batches of 64 Ki rows", *(f"{rows / wall:.1f} M/s" for wall in walls), 1 / ratio(pairs), at_least(0.95))


def edges(folder):
    """A batch of one row costs next to nothing but the edges: two chains that differ in four of them. Their
    threads run beside each other, so that on a quiet machine the wall time is the smaller one."""
    long = pipeline(folder, "long", SMALL, 1, ["pass"] * (1 + PASSES))
    pairs = run_in_turn(long, pipeline(folder, "brief", SMALL, 1, ["pass"]))
    for figure in ("wall", "cpu"):
        difference = statistics.median(a[figure] - b[figure] for a, b in pairs)
        absolute(f"per batch and edge: {figure}", difference / SMALL / PASSES * 1e6, "us", at_most(2) if figure == "cpu" else None)


def benchmark():
    with scratch() as folder:
        throughput(folder)
        edges(folder)


main(benchmark)
