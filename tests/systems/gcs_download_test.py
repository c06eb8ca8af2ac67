"""Objects out of Cloud Storage: patterns, faults, damage, lies."""

import gzip
import json
import shutil

from gcs_case import MEDIA, UNIT, GcsTest
from harness import main


class Downloads(GcsTest):
    def test_what_a_pattern_names_arrives_whole(self):
        self.gcs.post("/_control/settings", {"page_cap": 3})
        names = ["in/a.csv", "in/ä #?%+.csv", "in/empty.csv", "in/sub/b.csv", "in/c.txt", "in/.hidden.csv", "in/", "other.csv", "in//d.csv"]
        for name in names:
            self.put(name, "" if "empty" in name or name.endswith("/") else name)
        for path, wanted in (("in/*.csv", ["a", "empty", "ä #?%+"]), ("in/**/*.csv", ["/d", "a", "empty", "sub/b", "ä #?%+"]),
                             ("in/{a,sub/b}.csv", ["a", "sub/b"]), ("in/a.csv", ["a"]), ("in/.h*", [".hidden"])):
            self.run_json(self.download(path, target="out/{key}"))
            found = sorted(name for name in names if (self.folder / "out" / name).is_file())
            self.assertEqual([name.removeprefix("in/").rsplit(".", 1)[0] for name in found], wanted, path)
            shutil.rmtree(self.folder / "out", ignore_errors=True)

    def test_bytes_are_those_that_are_stored(self):
        self.put("big", 3 * UNIT + 5, seed=1)
        self.put("zero", "")
        packed = gzip.compress(b"text" * 100_000)
        self.put("packed", packed.decode("latin-1"), contentEncoding="gzip", latin1=True)
        self.run_json(self.download("*"))
        self.assertEqual(self.here(), ["big", "packed", "zero"])
        for name in self.here():
            self.assertEqual((self.folder / "out" / name).read_bytes(), self.content(name))
        self.assertEqual((self.folder / "out/packed").read_bytes(), packed)
        self.assertEqual(len([r for r in self.requests("GET", "big") if r["range"]]), 4)

    def test_new_and_newest_are_read_once(self):
        for select in ("new", "newest"):
            with self.subTest(select):
                self.gcs.post("/_control/reset", {})
                self.gcs.post("/_control/buckets", ["box"])
                pipeline = self.download("in/*", f", select: {select}, order: modified")
                read = lambda: len([r for r in self.requests("GET", MEDIA)])  # noqa: E731
                self.put("in/b", "1")
                self.gcs.post("/_control/clock", {"seconds": 1})
                self.put("in/a", "2")
                self.run_json(pipeline)
                self.assertEqual(read(), {"new": 2, "newest": 1}[select])
                self.run_json(pipeline)
                self.assertEqual(read(), {"new": 2, "newest": 1}[select])
                self.gcs.post("/_control/clock", {"seconds": 1})
                self.put("in/b", "3")  # another generation
                self.run_json(pipeline)
                self.assertEqual(read(), {"new": 3, "newest": 2}[select])
                self.assertEqual((self.folder / "out/in/b").read_text(), "3")
                self.folder.joinpath("state").exists() and self.patchbay("state", "reset", "down")

    def test_a_transfer_survives_a_cut_anywhere(self):
        self.put("big", 2 * UNIT, seed=2)
        content, proxy = self.content("big"), self.proxy()
        pipeline = self.download("big")
        self.run_json(pipeline)
        total = proxy.total()["down"]
        for tenth in range(10):
            proxy.reset()
            proxy.rules({"do": "reset" if tenth % 2 else "cut", "direction": "down", "after": max(1, total * tenth // 10), "of": "all"})
            self.run_json(pipeline)
            self.assertEqual((self.folder / "out/big").read_bytes(), content, tenth)
            self.assertGreater(proxy.total()["down"], total * 9 // 10)
        for fault in ({"action": "cut", "bytes": 1000}, {"action": "status", "status": 503}):
            self.faults({**fault, "match": MEDIA, "skip": 1})
            self.run_json(pipeline)
            self.assertEqual(((self.folder / "out/big").read_bytes(), self.gcs.get("/_control/faults_left")), (content, 0), fault)

    def test_damage_is_noticed(self):
        self.put("big", 2 * UNIT, seed=2)
        self.faults({"action": "corrupt", "match": MEDIA, "skip": 1})
        self.assertEqual(self.run_json(self.download("big")).stream["attempts"], 2)
        self.assertEqual((self.folder / "out/big").read_bytes(), self.content("big"))
        (self.folder / "out/big").unlink()
        self.faults({"action": "corrupt", "match": MEDIA, "times": 99})
        result = self.run_json(self.download("big"), code=5)
        self.assertIn("gs://box/big: was damaged on its way", result.stream["error"]["message"])
        self.assertEqual(self.here(), [])

    def test_an_object_that_is_replaced_meanwhile_is_noticed(self):
        self.put("big", 2 * UNIT, seed=2)
        self.faults({"action": "replace", "match": MEDIA, "skip": 1})
        # The next attempt reads what is there by then, and nothing of what was before.
        result = self.run_json(self.download("big"))
        self.assertIn("gs://box/big: was replaced or deleted while it was read", result.err)
        self.assertEqual((result.stream["attempts"], self.here()), (2, ["big"]))
        self.assertEqual((self.folder / "out/big").read_text(), "another")

    def test_what_is_wrong_is_said(self):
        self.put("a", "1")
        denied = {"denied": ["storage.objects.get", "storage.objects.list"]}
        cases = [
            ("nosuch", {}, {}, 7, "path: gs://box/nosuch is not there"),
            ("nosuch/*", {}, {}, 7, "path: nosuch/*: no object matches"),
            ("*", {}, {"bucket: box": "bucket: nosuch"}, 7, "bucket nosuch: is not there"),
            ("a", {}, {"bucket: box": "bucket: nosuch"}, 7, "bucket nosuch: is not there"),
            ("*", denied, {}, 4, "storage.objects.list"),
            ("a", denied, {}, 4, "storage.objects.get"),
            ("a", {"denied": []}, {"{secret: gcs}": "{secret: nosuch}"}, 4, "nosuch"),
            ("a", {}, {f"chunk_size: {UNIT}": "chunk_size: 300000"}, 3, "chunk_size"),
        ]
        for path, settings, changes, code, message in cases:
            with self.subTest(message):
                self.gcs.post("/_control/settings", settings)
                text = self.folder.joinpath("down.yaml")
                self.download(path)
                content = text.read_text()
                for old, new in changes.items():
                    content = content.replace(old, new)
                text.write_text(content)
                for verb in ("check", "run"):
                    result = self.patchbay(verb, text)
                    self.assertEqual(result.code, code, result)
                    self.assertIn(message, str(result))
                    self.assertNotIn("PRIVATE KEY", str(result))

    def test_servers_that_lie_are_found_out(self):
        self.put("big", 2 * UNIT, seed=2)
        item = {"name": "big", "generation": "1", "size": "9", "timeCreated": "2026-01-01T00:00:00Z"}
        listed, half = "GET .*/o[?]", {"Content-Range": f"bytes 0-{UNIT - 1}/{2 * UNIT}"}
        cases = [
            (listed, 200, "<html>", {}, "with a body that is no JSON object"),
            (listed, 200, "[]", {}, "with a body that is no JSON object"),
            (listed, 200, json.dumps({"items": [7]}), {}, "an object's metadata is no JSON object"),
            (listed, 200, json.dumps({"items": [{**item, "size": "-2"}]}), {}, "an object's metadata lacks its name, generation, size or time"),
            (listed, 200, json.dumps({"items": [{**item, "generation": None}]}), {}, "an object's metadata lacks"),
            (listed, 200, json.dumps({"nextPageToken": "x"}), {}, "its list never ends"),
            (listed, 302, "", {"Location": "https://elsewhere.example/"}, "302"),
            (MEDIA, 200, "short", {}, "with other bytes than"),
            (MEDIA, 206, "x" * UNIT, {"Content-Range": f"bytes 1-{UNIT}/{2 * UNIT}"}, "with other bytes than"),
            (MEDIA, 206, "x" * (UNIT + 1), half, "with other bytes than"),
            (MEDIA, 206, "x" * (UNIT - 1), half, "with other bytes than"),
        ]
        for match, status, body, headers, message in cases:
            with self.subTest(message, body=body[:50]):
                self.faults({"action": "status", "status": status, "match": match, "body": body, "headers": headers, "times": 99})
                result = self.patchbay("run", self.download("*"))
                self.assertEqual(result.code, 7, result)
                self.assertIn(message, str(result))
                self.assertEqual(self.here(), [])
        for headers, message in (({"x-goog-generation": "7"}, "was replaced or deleted while it was read"),
                                 ({"x-goog-hash": "crc32c=AAAAAA=="}, "its checksum is another than when it was listed")):
            self.faults({"action": "status", "status": 206, "match": MEDIA, "body": "x" * UNIT, "headers": {**half, **headers}, "times": 99})
            result = self.patchbay("run", self.download("*"))
            self.assertEqual(result.code, 5, result)
            self.assertIn(message, str(result))

    def test_limits_and_void_tokens_are_waited_for(self):
        self.put("a", "1")
        self.faults({"action": "status", "status": 429, "headers": {"Retry-After": "0"}, "match": MEDIA, "times": 2})
        self.run_json(self.download("a"))
        self.gcs.post("/_control/tokens", {})
        self.faults({"action": "status", "status": 401, "match": MEDIA})
        self.run_json(self.download("a"))
        self.faults({"action": "status", "status": 503, "match": MEDIA, "times": 99})
        self.run_json(self.download("a"), code=5)


if __name__ == "__main__":
    main()
