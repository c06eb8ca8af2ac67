"""An idle plan over 100,000 files that were all read before, beside `find`, which asks the kernel for the same facts."""

from harness import BUILD, Command, at_most, compare, main, scratch

FILES, ROUNDS = 100_000, 20


def benchmark():
    with scratch() as folder:
        for number in range(FILES):
            (folder / f"orders-{number:06}.csv").write_text("id\n1\n")
        find = f"for i in $(seq {ROUNDS + 1}); do find {folder} -maxdepth 1 -name '*.csv' -printf '%p#%s-%T@-%i\\n'; done"
        compare(f"{ROUNDS + 1} plans of {FILES} files", Command([BUILD / "bench/files_plan", folder, ROUNDS]), Command(["sh", "-c", find]),
                wall=at_most(1.5))


main(benchmark)
