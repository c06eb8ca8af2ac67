"""Random histories of runs, kills, faults and edits of real pipelines over real stores, against the model of the law.

    histories.py [--seconds N] [--seed S] [--jobs N] [--keep]

Each seed decides on one pipeline and what happens to it; where a kill strikes is a matter of the machine, so a seed that
failed may need a few tries. A failure prints its seed, the pipeline and the story, and keeps the folder.
"""

import argparse
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "systems"))
from harness import BUILD  # noqa: E402
from postgres_server import PASSWORD, Postgres  # noqa: E402

from model import Append, Broken, Replace, Upsert, check_rejects  # noqa: E402
from stores import FilesOut, FolderOfCsv, PostgresTable, SqliteTable, refused_ids  # noqa: E402

PATIENCE = float(os.environ.get("PATCHBAY_TEST_PATIENCE", "1"))
MODELS = {"append": Append, "upsert": Upsert, "replace": Replace}
OPTIONS = {"append": "", "upsert": ", write: upsert, keys: [k]", "replace": ", write: replace"}


class History:
    def __init__(self, seed, server):
        self.seed, self.server, self.chance = seed, server, random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-history-"))
        self.story, self.known, self.bad, self.next = [], {}, [], 1
        self.rows = []  # what the source holds now
        self.runs = self.kills = 0
        self._choose()

    def _choose(self):
        chance = self.chance
        mode = chance.choice(["append", "append", "append", "upsert", "replace"])
        self.whole = mode == "replace"
        self.source = chance.choice([lambda: FolderOfCsv(self.folder, chance, self.whole), lambda: SqliteTable(self.folder, "shop", self.whole),
                                     lambda: PostgresTable(self.server, "shop", self.whole)])()
        kinds = chance.choice(["s", "s", "p", "p", "f", "sp", "sf", "pf", "ss", "pp", "spf"])
        if mode != "append":
            kinds = kinds.replace("f", "") or chance.choice("sp")
        # Lanes that write by keys come in the plan's order; rows of one file as well, so that newer ids win.
        self.targets = []
        for number, kind in enumerate(kinds):
            name = f"{kind}{number}"
            store = (SqliteTable(self.folder, name) if kind == "s" else PostgresTable(self.server, name) if kind == "p" else FilesOut(self.folder, name))
            self.targets.append((store, MODELS["append" if kind == "f" else mode](name)))
        nodes = self.source.nodes()
        last = "rows" if len(nodes) > 1 else "src"
        for store, _ in self.targets:
            nodes += store.sink(last, OPTIONS[mode])
        rows = chance.choice([7, 20, 100, 100000])
        text = (f"name: history\nretry: {{attempts: {chance.choice([1, 3])}, delay: 1ms}}\ncommit: {{rows: {rows}}}\n"
                f"concurrency: {chance.choice([1, 2, 4])}\nrejects: {{max: 1000000}}\nnodes:\n" + "".join(f"  - {node}\n" for node in nodes))
        (self.folder / "p.yaml").write_text(text)

    def tell(self, words):
        self.story.append(words)

    # What happens to the source.

    def edit(self):
        if self.whole and self.chance.random() < 0.3 and self.rows:
            self.rows = self._new_rows()
            self.tell(f"the source is replaced: {len(self.rows)} rows, to id {self.next - 1}")
            self.source.replace_all(self.rows)
            return
        rows, bad = self._new_rows(), []
        if isinstance(self.source, FolderOfCsv) and not self.whole and self.chance.random() < 0.3:
            bad = list(range(self.next, self.next + self.chance.randint(1, 9)))
            self.next += len(bad)
        self.tell(f"{len(rows)} rows more, to id {rows[-1][0]}, and {len(bad)} bad ones")
        self.source.add(rows, bad)
        self.rows += rows
        self.bad += bad

    def _new_rows(self):
        rows = []
        for _ in range(self.chance.choice([1, 3, 30, 30, 300])):
            rows.append((self.next, self.chance.randint(1, 40), f"v{self.next}"))
            self.next += 1
        if self.whole or isinstance(self.targets[0][1], Upsert):
            rows = list({row[1]: row for row in rows}.values()) if self.chance.random() < 0.5 else rows
        self.known.update({row[0]: row for row in rows})
        return rows

    # Runs.

    def _command(self, *words):
        return [str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), *words]

    def _start(self, more=None):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PATCHBAY_SECRET_PG": PASSWORD}
        environment.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
        self.runs += 1
        for _, model in self.targets:
            if isinstance(model, Replace):
                model.begins(self.rows)
        return subprocess.Popen(self._command("run", "p.yaml"), cwd=self.folder, env={**environment, **(more or {})},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _end(self, run):
        try:
            out, _ = run.communicate(timeout=120 * PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            out, _ = run.communicate()
            raise Broken(f"a run does not end:\n{out}") from None
        if run.returncode not in (0, 5, 7, 8, -signal.SIGKILL, -signal.SIGTERM, 143):
            raise Broken(f"exit {run.returncode}:\n{out}")
        return run.returncode, out

    def run_to_the_end(self):
        code, out = self._end(self._start())
        if code != 0:
            raise Broken(f"a run that nobody disturbs ends with {code}:\n{out}")
        self.tell("run: ok")
        self.look(ok=True)

    def run_and_kill(self):
        moment = self.chance.choice([0.02, 0.05, 0.1, 0.2]) * self.chance.random() * PATIENCE
        run = self._start()
        time.sleep(moment)  # not for a condition: any moment will do
        run.send_signal(self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        self._disturbed(f"killed after {moment:.3f} s", run)

    def run_to_a_step(self):
        step = self.chance.randint(1, 60)
        self._disturbed(f"to step {step}", self._start({"PATCHBAY_FAULT": str(step)}))

    def run_while_sessions_end(self):
        """Somebody ends all the sessions of PostgreSQL, or the server itself stops at once and comes back."""
        run = self._start()
        moment, restart = self.chance.random() * 0.15 * PATIENCE, self.chance.random() < 0.2

        def disturb():
            time.sleep(moment)
            if restart:
                self.server.stop()
                self.server.start()
            else:
                self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")

        other = threading.Thread(target=disturb)
        other.start()
        try:
            self._disturbed("the server " + ("stops" if restart else "ends all sessions"), run, other)
        finally:
            other.join()

    def _disturbed(self, words, run, other=None):
        code, out = self._end(run)
        if other:
            other.join()
        if code != 0:
            self.kills += 1
        self.tell(f"run, {words}: {code}")
        if code in (7, 8) and "again" not in out:
            raise Broken(f"a run that was disturbed ends with {code}:\n{out}")
        self.look(ok=code == 0)

    def look(self, ok):
        for store, model in self.targets:
            model.look(store.rows(), self.known, self.rows if ok else None)
        if ok and self.bad:
            kept = subprocess.run(self._command("rejects", "export", "history"), cwd=self.folder, capture_output=True, text=True, check=True,
                                  env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
            check_rejects(refused_ids(kept.stdout), self.bad)

    def play(self):
        self.edit()
        acts = [self.edit, self.edit, self.run_to_the_end, self.run_and_kill, self.run_and_kill, self.run_to_a_step, self.run_to_a_step]
        if "use: postgres" in (self.folder / "p.yaml").read_text():
            acts.append(self.run_while_sessions_end)
        for _ in range(self.chance.randint(4, 16)):
            self.chance.choice(acts)()
        self.run_to_the_end()
        self.run_to_the_end()
        for store, _ in self.targets:
            if store.left_over():
                raise Broken(f"{store.name}: left over: {store.left_over()}")


def play(seed, server, keep):
    """What went wrong, "" where nothing did; runs, and those that did not end well."""
    history = History(seed, server)
    try:
        history.play()
    except Broken as broken:
        story = "\n".join(f"  {line}" for line in history.story)
        return f"seed {seed} fails, in {history.folder}:\n{(history.folder / 'p.yaml').read_text()}\n{story}\n{broken}", history.runs, history.kills
    if not keep:
        shutil.rmtree(history.folder)
    return "", history.runs, history.kills


def start_server():
    """One that loses nothing when its processes end; a power cut it need not survive."""
    server = Postgres()
    server.sql("ALTER SYSTEM SET synchronous_commit = on")
    server.sql("SELECT pg_reload_conf()")
    return server


def work(first, step, until, keep, results):
    server = start_server()
    try:
        seed = first
        while time.monotonic() < until:
            results.put((seed, *play(seed, server, keep)))
            seed += step
    finally:
        server.remove()
        results.put(None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, help="just this one, three times")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        server = start_server()
        try:
            failed = [words for words, _, _ in (play(arguments.seed, server, arguments.keep) for _ in range(3)) if words]
        finally:
            server.remove()
        print("\n".join(failed) or f"seed {arguments.seed}: ok three times")
        return 1 if failed else 0
    results, until = multiprocessing.Queue(), time.monotonic() + arguments.seconds
    workers = [multiprocessing.Process(target=work, args=(arguments.first + job, arguments.jobs, until, arguments.keep, results))
               for job in range(arguments.jobs)]
    for worker in workers:
        worker.start()
    histories = runs = kills = failures = 0
    open_workers = len(workers)
    while open_workers:
        result = results.get()
        if result is None:
            open_workers -= 1
            continue
        _, words, more_runs, more_kills = result
        histories, runs, kills = histories + 1, runs + more_runs, kills + more_kills
        if words:
            failures += 1
            print(words, flush=True)
    for worker in workers:
        worker.join()
    print(f"{histories} histories, {runs} runs, {kills} of them ended too early, {failures} failures")
    return 1 if failures or histories == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
