"""What the law lets a target hold, after any history of runs, kills and edits. Knows nothing of patchbay.

A row of a source is (id, key, text): ids never come twice, a greater id is newer. A target is a list of such rows.
"""

from collections import Counter


class Broken(Exception):
    """The law is broken; the words say where."""


class Append:
    """Each row once; whatever was seen stays; after a run that is ok, nothing is missing."""

    def __init__(self, name):
        self.name, self.seen = name, set()

    def look(self, rows, known, wanted=None):
        """`known` = every row that a source ever had, by id; `wanted` = what a run that is ok had to bring."""
        doubled = [row for row, times in Counter(row[0] for row in rows).items() if times > 1]
        if doubled:
            raise Broken(f"{self.name}: rows are there twice: {doubled[:5]} ({len(doubled)} in all)")
        self._is_known(rows, known)
        ids = {row[0] for row in rows}
        if self.seen - ids:
            raise Broken(f"{self.name}: rows that were there are gone: {sorted(self.seen - ids)[:5]}")
        self.seen = ids
        if wanted is not None and {row[0] for row in wanted} - ids:
            raise Broken(f"{self.name}: rows are missing: {sorted({row[0] for row in wanted} - ids)[:5]}")

    def _is_known(self, rows, known):
        for row in rows:
            if known.get(row[0]) != row:
                raise Broken(f"{self.name}: the row {row} is not as any source had it: {known.get(row[0])}")


class Upsert(Append):
    """One row a key, each as some source had it, never older than before; after a run that is ok, the newest."""

    def __init__(self, name):
        super().__init__(name)
        self.newest = {}

    def look(self, rows, known, wanted=None):
        doubled = [key for key, times in Counter(row[1] for row in rows).items() if times > 1]
        if doubled:
            raise Broken(f"{self.name}: keys are there twice: {doubled[:5]}")
        self._is_known(rows, known)
        now = {row[1]: row[0] for row in rows}
        for key, before in self.newest.items():
            if now.get(key, -1) < before:
                raise Broken(f"{self.name}: key {key} had row {before} and now has {now.get(key)}")
        self.newest = now
        for row in sorted(wanted or []):
            if now.get(row[1], -1) < row[0]:
                raise Broken(f"{self.name}: key {row[1]} is at row {now.get(row[1])}, not at {row[0]}")


class Replace(Append):
    """All of one reading and nothing else, also in the middle of a crash; after a run that is ok, of this reading."""

    def __init__(self, name):
        super().__init__(name)
        self.readings = [frozenset()]  # what the source held when a run began, since the last run that is ok

    def begins(self, rows):
        self.readings.append(frozenset(rows))

    def look(self, rows, known, wanted=None):
        if len(set(rows)) != len(rows):
            raise Broken(f"{self.name}: rows are there twice")
        now = frozenset(rows)
        if wanted is not None:
            self.readings = [frozenset(wanted)]
        if now not in self.readings:
            raise Broken(f"{self.name}: holds {len(now)} rows that are no reading of the source: of {[len(r) for r in self.readings]}; "
                         f"too many {sorted(now - self.readings[-1])[:5]}, missing {sorted(self.readings[-1] - now)[:5]}")


def check_rejects(kept, wanted):
    """Refused rows are kept once each: ids of those that are kept, of those that a run which is ok has met."""
    if Counter(kept) != Counter(wanted):
        raise Broken(f"rejects: kept {sorted(kept)[:8]} ({len(kept)}), met {sorted(wanted)[:8]} ({len(wanted)})")
