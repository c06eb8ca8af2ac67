"""A seed decides everything: the same histories have the same hash, in whatever process they are played."""

import re
import subprocess
import sys
import unittest

SIMULATE = sys.argv.pop(1)


def hash_of(seed, histories, jobs=1):
    out = subprocess.run([SIMULATE, "--seed", str(seed), "--histories", str(histories), "--jobs", str(jobs)],
                         capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr
    return int(re.search(r"hash ([0-9a-f]{16})", out.stdout)[1], 16)


class ReplayTest(unittest.TestCase):
    def test_another_process_plays_the_same(self):
        self.assertEqual(hash_of(1, 100), hash_of(1, 100))

    def test_two_jobs_play_the_same(self):
        self.assertEqual(hash_of(1, 100), hash_of(1, 100, jobs=2))

    def test_what_was_played_before_in_a_process_does_not_matter(self):
        self.assertEqual(hash_of(1, 100), hash_of(1, 33) ^ hash_of(34, 67))

    def test_another_seed_plays_something_else(self):
        self.assertNotEqual(hash_of(1, 1), hash_of(2, 1))


if __name__ == "__main__":
    unittest.main()
