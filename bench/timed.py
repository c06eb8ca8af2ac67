"""Runs one command and writes what it cost as JSON: timed.py FILE COMMAND [ARGUMENT..]

A process of its own, started with -I -S: Linux counts the memory of the process that forks towards the peak of the one that is
started, so the harness with its data must not be that process. What this one has, some 9 MB, is the least that is ever reported.
"""

import json
import os
import sys
import time

before = time.monotonic()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)  # its own and those of all descendants it waited for
wall = time.monotonic() - before
with open(sys.argv[1], "w") as file:
    json.dump({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024,
               "code": os.waitstatus_to_exitcode(status)}, file)
