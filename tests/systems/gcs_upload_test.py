"""Objects into Cloud Storage: names, faults, strangers, lies."""

import json
import random
import signal
import urllib.request

from gcs_case import PIECE, UNIT, GcsTest
from harness import main


class Uploads(GcsTest):
    def test_objects_appear_whole_under_their_names(self):
        big = self.file("in/big.bin", random.Random(3).randbytes(3 * UNIT + 11))
        self.file("in/empty", b"")
        self.file("in/unit", big[:UNIT])
        self.file("in/ä #?%+", b"x")
        self.run_json(self.upload("in/*", target="out/{stream}/{part}-{key}", more=", content_type: text/csv"))
        found = self.objects()
        self.assertEqual(sorted(found), [f"out/in/1-in/{name}" for name in ("big.bin", "empty", "unit", "ä #?%+")])
        self.assertEqual(self.content("out/in/1-in/big.bin"), big)
        self.assertEqual(self.content("out/in/1-in/unit"), big[:UNIT])
        self.assertEqual(found["out/in/1-in/empty"]["size"], "0")
        self.assertEqual(found["out/in/1-in/empty"]["contentType"], "text/csv")

    def test_what_exists_is_replaced_kept_or_refused(self):
        self.file("a", b"new")
        for mode, code, left in (("replace", 0, b"new"), ("skip", 0, b"old"), ("fail", 7, b"old")):
            self.put("a", "old")
            result = self.run_json(self.upload("a", f", if_exists: {mode}"), code=code)
            self.assertEqual((self.content("a"), list(self.objects())), (left, ["a"]), mode)
        self.assertIn("gs://box/a: is already there, and if_exists is fail", result.stream["error"]["message"])

    def test_a_transfer_survives_a_cut_anywhere(self):
        content, proxy = self.file("big", random.Random(4).randbytes(8 * UNIT + 100_000)), self.proxy()
        pipeline = self.upload("big")
        self.run_json(pipeline)
        total = proxy.total()["up"]
        for tenth in range(10):
            proxy.reset()
            proxy.rules({"do": "reset" if tenth % 2 else "cut", "direction": "up", "after": max(1, total * tenth // 10), "of": "all"})
            self.run_json(pipeline)
            self.assertEqual((self.content("big"), list(self.objects())), (content, ["big"]), tenth)

    def test_what_the_server_kept_of_a_piece_is_not_sent_again(self):
        content = self.file("big", random.Random(4).randbytes(8 * UNIT + 100_000))
        for kept in range(2):  # of the two units that are a piece
            for answer in (False, True):
                self.faults({"action": "keep", "bytes": UNIT * kept, "answer": answer, "match": PIECE, "skip": 1})
                self.run_json(self.upload("big"))
                self.assertEqual((self.content("big"), list(self.objects())), (content, ["big"]))
                self.assertEqual(self.gcs.get("/_control/faults_left"), 0)
                again = f"bytes {UNIT * (kept + 2)}-"
                self.assertTrue(any((r["range"] or "").startswith(again) for r in self.requests("PUT")), again)

    def test_every_answer_may_be_lost(self):
        self.file("big", b"x" * (UNIT + 1))
        self.run_json(self.upload("big"))
        steps = len(self.gcs.get("/_control/requests"))
        for number in range(steps):
            self.faults({"action": "lost", "skip": number, "match": "^(GET|POST|PUT|DELETE) /(storage|upload)"})
            self.run_json(self.upload("big"))
            self.assertEqual(list(self.objects()), ["big"], number)

    def test_servers_that_lie_are_found_out(self):
        self.file("big", b"x" * 100)
        wrong = {"name": "t", "generation": "1", "size": "9", "timeCreated": "2026-01-01T00:00:00Z", "crc32c": "AAAAAA=="}
        cases = [
            ("uploadType", 200, "", {}, 7, "gave no upload session"),
            ("uploadType", 200, "", {"Location": "https://elsewhere.example/x"}, 7, "credentials do not go there"),
            (PIECE, 200, "", {}, 7, "no JSON object"),
            (PIECE, 200, json.dumps(wrong), {}, 5, "was damaged on its way: the server has 9 bytes of 100, or another crc32c"),
            (PIECE, 308, "", {"Range": "bytes=0-99999999"}, 5, "the server has 100000000 bytes where 0 to 100"),
            ("rewriteTo", 200, "{}", {}, 7, "is not done and gave no rewriteToken"),
        ]
        for match, status, body, headers, code, message in cases:
            with self.subTest(message):
                self.faults({"action": "status", "status": status, "match": match, "body": body, "headers": headers, "times": 99})
                result = self.patchbay("run", self.upload("big"))
                self.assertEqual(result.code, code, result)
                self.assertIn(message, str(result))
                self.assertEqual([name for name in self.objects() if name == "big"], [])

    def test_a_rewrite_takes_as_many_calls_as_the_server_wants(self):
        content = self.file("big", b"x" * (UNIT + 1))
        self.gcs.post("/_control/settings", {"rewrite_step": UNIT // 2})
        self.run_json(self.upload("big"))
        self.assertEqual((self.content("big"), len(self.requests("POST", "rewriteTo"))), (content, 3))

    def test_a_session_that_is_over_is_begun_anew(self):
        self.file("big", b"x" * (UNIT + 1))
        self.faults({"action": "status", "status": 410, "match": PIECE, "skip": 1})
        self.assertEqual(self.run_json(self.upload("big")).stream["attempts"], 2)
        self.assertEqual(list(self.objects()), ["big"])

    def test_damage_on_the_way_is_refused_by_the_server(self):
        self.file("big", b"x" * (UNIT + 1))
        self.faults({"action": "status", "status": 400, "match": PIECE, "skip": 1, "body": json.dumps(
            {"error": {"code": 400, "message": "Provided crc32c doesn't match", "errors": [{"reason": "invalid"}]}})})
        result = self.run_json(self.upload("big"), code=7)
        self.assertIn("doesn't match", result.stream["error"]["message"])
        self.assertEqual(list(self.objects()), [])

    def test_a_strangers_object_is_not_written_over(self):
        self.file("a", b"ours")
        self.put("a", "old")
        self.faults({"action": "replace", "match": "rewriteTo", "object": "a", "text": "theirs"})
        result = self.run_json(self.upload("a"), code=7)
        self.assertIn("gs://box/a: was written by somebody else since this run prepared its own", result.stream["error"]["message"])
        self.assertEqual((self.content("a"), list(self.objects())), (b"theirs", ["a"]))
        request = urllib.request.Request(f"{self.gcs.url}/_control/remove/box/a", b"{}", method="POST")
        urllib.request.urlopen(request).close()
        self.run_json(self.upload("a"))
        self.assertEqual((self.content("a"), list(self.objects())), (b"ours", ["a"]))

    def test_a_late_repeat_leaves_what_others_wrote_after_it(self):
        self.file("a", b"ours")
        run = self.patchbay("run", self.upload("a"), env={"PATCHBAY_FAULT": self.step("gcs.cleared")})
        self.assertEqual(run.code, -signal.SIGKILL)
        self.put("a", "theirs")
        self.file("a", b"next")
        self.run_json(self.upload("nosuch*"), code=7)  # commits what is on record, and finds nothing to read
        self.assertEqual((self.content("a"), list(self.objects())), (b"theirs", ["a"]))

    def step(self, name):
        """The number of the first durable step of this name."""
        listed = self.patchbay("run", self.upload("a"), env={"PATCHBAY_FAULT": "list"})
        for line in listed.err.splitlines():
            if line.endswith(": " + name):
                return line.split("durable step ")[1].split(":")[0]
        raise AssertionError(listed)

    def test_what_is_wrong_is_said(self):
        self.file("a", b"1")
        for settings, old, new, code, message in (
                ({}, "bucket: box", "bucket: nosuch", 7, "bucket nosuch: is not there"),
                ({"denied": ["storage.objects.create"]}, "", "", 4, "storage.objects.create"),
                ({"denied": ["storage.objects.list"]}, "bucket: box", "bucket: box", None, "storage.objects.list")):
            with self.subTest(message):
                self.gcs.post("/_control/settings", settings)
                path = self.folder / "up.yaml"
                self.upload("a")
                path.write_text(path.read_text().replace(old, new))
                for verb in ("check", "run"):
                    result = self.patchbay(verb, path)
                    if code is None and verb == "run":
                        continue  # a run that goes well lists nothing
                    self.assertEqual(result.code, code or 4, result)
                    self.assertIn(message, str(result))

    def test_a_run_that_fails_leaves_nothing(self):
        self.file("in/a", b"x" * UNIT)
        self.faults({"action": "status", "status": 400, "match": PIECE, "times": 99, "skip": 1})
        self.file("in/b", b"x" * UNIT * 2)
        self.patchbay("run", self.upload("in/*"))
        self.assertEqual([name for name in self.objects() if name.startswith(".")], [])


if __name__ == "__main__":
    main()
