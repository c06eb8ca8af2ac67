"""What the server holds: records by sequence, settings, faults to come, requests seen."""

import bisect
import copy
import threading
import time

from records import make_record, sequences_after, timestamp


class Settings:
    """What /_control/config sets; each stays until it is set again or all is reset."""

    def __init__(self, page_cap):
        self.page_cap = page_cap        # a greater limit is silently cut to it; 0: no cap
        self.default_limit = 20
        self.ignore_filter = False      # sequence__gt has no effect
        self.extra = None               # {"path": "recipient.x", "value": .., "from_sequence": N}
        self.wrong = None               # {"path": "score", "value": .., "sequence": N}
        self.null_record = None         # the sequence in whose place null stands
        self.repeated_sequence = None   # the record with this sequence shows the one before it
        self.objects = "list"           # missing, null, object
        self.meta_next = "auto"         # null, wrong: leads past the end, on the last page too


class Store:
    def __init__(self, count, page_cap, seed=0, first_sequence=1):
        self.started_as = count, page_cap, seed, first_sequence
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        count, page_cap, self.seed, first_sequence = self.started_as
        self.settings = Settings(page_cap)
        # Parallel; where a given record lacks a sequence, its place is after the last one seen.
        self.order, self.records = [], []
        self.faults, self.requests = [], []
        self.sequence, self.made = 0, 0
        self.append(count, first_sequence)

    def append(self, count, from_sequence=None):
        sequences = sequences_after(self.sequence, self.made, from_sequence)
        for number in range(self.made, self.made + count):
            self.sequence = next(sequences)
            self.order.append(self.sequence)
            self.records.append(make_record(number, self.sequence, self.seed))
        self.made += count

    def add(self, record):
        """One given record, as it is."""
        sequence = record.get("sequence") if isinstance(record, dict) else None
        if not isinstance(sequence, int):
            sequence = self.sequence
        self.sequence = max(self.sequence, sequence)
        place = bisect.bisect_right(self.order, sequence)
        self.order.insert(place, sequence)
        self.records.insert(place, record)

    def update(self, ids):
        """An update issues a record again: same id, a greater sequence, so it moves to the end."""
        changed = [r for r in self.records if isinstance(r, dict) and r.get("id") in ids]
        for record in changed:
            place = next(i for i, r in enumerate(self.records) if r is record)
            del self.order[place], self.records[place]
            new = {"sequence": self.sequence + 1, "modified": timestamp(self.sequence)}
            self.add({**record, **new})

    def after(self, sequence):
        if self.settings.ignore_filter:
            return self.records[:]
        return self.records[bisect.bisect_right(self.order, sequence):]

    def note(self, request):
        self.requests.append({**request, "at": time.monotonic()})

    def take_fault(self, path):
        """The fault that this request is to meet: the first that matches and has times left."""
        for fault in self.faults:
            if fault.get("match", "") not in path or fault.get("times", 1) <= 0:
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                return None
            fault["times"] = fault.get("times", 1) - 1
            return fault
        return None


def spoiled(record, settings):
    """The record as the settings want it shown."""
    sequence = record.get("sequence") if isinstance(record, dict) else None
    if not isinstance(sequence, int):
        return record
    if settings.null_record == sequence:
        return None
    changes = []
    if settings.extra and sequence >= settings.extra.get("from_sequence", 0):
        changes.append(settings.extra)
    if settings.wrong and sequence == settings.wrong["sequence"]:
        changes.append(settings.wrong)
    if settings.repeated_sequence == sequence:
        changes.append({"path": "sequence", "value": sequence - 1})
    if changes:
        record = copy.deepcopy(record)
    for change in changes:
        set_path(record, change["path"], change["value"])
    return record


def set_path(record, path, value):
    """`recipient.x`; of a list of objects the first is meant, what is missing or null is made."""
    *parents, last = path.split(".")
    for parent in parents:
        if not record.get(parent):
            record[parent] = {}
        record = record[parent]
        if isinstance(record, list):
            record = record[0]
    record[last] = value
