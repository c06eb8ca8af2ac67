"""The model says no where the law is broken: each line is one way to break it."""

import unittest

from model import Append, Broken, Replace, Upsert, check_rejects

A, B, C = (1, 1, "a"), (2, 2, "b"), (3, 1, "c")  # C is newer than A and has its key
KNOWN = {row[0]: row for row in (A, B, C)}


class ModelTest(unittest.TestCase):
    def check(self, model, words, *looks):
        """Every look but the last is as it must be; the last one breaks the law, with these words, or nothing where they are empty."""
        for rows, wanted in looks[:-1]:
            model.look(rows, KNOWN, wanted)
        rows, wanted = looks[-1]
        if not words:
            model.look(rows, KNOWN, wanted)
            return
        with self.assertRaisesRegex(Broken, words):
            model.look(rows, KNOWN, wanted)

    def test_append(self):
        for words, looks in {
                "": (([A], None), ([A, B], [A, B])),
                "twice": (([A, A], None),),
                "gone": (([A, B], None), ([A], None)),
                "missing": (([A], [A, B]),),
                "not as any source": (([(1, 1, "other")], None),),
        }.items():
            with self.subTest(words):
                self.check(Append("t"), words, *looks)

    def test_upsert(self):
        for words, looks in {
                "": (([A], None), ([C, B], [A, B, C])),
                "keys are there twice": (([A, C], None),),
                "key 1 had row 3": (([C], None), ([A], None)),
                "key 1 is at row 1": (([A], [A, C]),),
                "key 2 had": (([B], None), ([A], None)),
        }.items():
            with self.subTest(words):
                self.check(Upsert("t"), words, *looks)

    def test_replace(self):
        for words, begun, looks in (
                ("", [[A], [B, C]], (([A], None), ([B, C], [B, C]))),
                ("no reading", [[A], [B, C]], (([A, B], None),)),
                ("no reading", [[A, B]], (([A], None),)),
                ("no reading", [[A], [B]], (([B], [B]), ([A], None))),
                ("twice", [[A]], (([A, A], None),))):
            with self.subTest(words):
                model = Replace("t")
                for rows in begun:
                    model.begins(rows)
                self.check(model, words, *looks)

    def test_rejects(self):
        check_rejects([1, 2], [2, 1])
        for kept in ([1], [1, 2, 2], [1, 2, 3]):
            with self.assertRaises(Broken):
                check_rejects(kept, [1, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
