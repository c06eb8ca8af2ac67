"""Objects of Cloud Storage, in and out."""

import gzip
import json
import pathlib
import random
import shutil
import signal
import subprocess
import time
import urllib.request
from urllib.parse import quote

from harness import BUILD, Proxy, Server, SystemTest, main

UNIT = 256 * 1024
FAST = "retry: {attempts: 4, delay: 1ms}"
MEDIA, PIECE = "alt=media", "PUT .*upload_id"


class GcsTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.gcs = Server("gcs/server.py", self.folder)
        self.addCleanup(self.gcs.stop)
        self.endpoint = self.gcs.url
        self.gcs.post("/_control/buckets", ["box"])
        self.environment["PATCHBAY_SECRET_GCS"] = json.dumps(self.gcs.get("/_control/credentials"))

    def proxy(self):
        """From now on pipelines go through it."""
        proxy = Proxy(self.folder, self.gcs.port)
        self.addCleanup(proxy.stop)
        self.endpoint = f"http://127.0.0.1:{proxy.port}"
        return proxy

    def access(self):
        return f'endpoint: "{self.endpoint}", credentials: {{secret: gcs}}, chunk_size: {UNIT}'

    def put(self, name, text="", **more):
        content = {"size": text} if isinstance(text, int) else {"text": text}
        return self.gcs.post("/_control/objects", {"bucket": "box", "name": name, **content, **more})

    def content(self, name):
        with urllib.request.urlopen(f"{self.gcs.url}/_control/data/box/{quote(name)}") as answer:
            return answer.read()

    def objects(self):
        return {found["name"]: found for found in self.gcs.get("/_control/objects/box")}

    def faults(self, *faults):
        self.gcs.post("/_control/faults", list(faults))

    def requests(self, method, part=""):
        return [r for r in self.gcs.get("/_control/requests") if r["method"] == method and part in r["path"]]

    def download(self, path, more="", target="out/{key}", top=FAST):
        return self.pipeline(f"""
name: down
{top}
nodes:
  - use: gcs
    with: {{bucket: box, path: "{path}", {self.access()}{more}}}
  - {{id: out, use: files, with: {{path: "{target}"}}}}
""", "down")

    def upload(self, path, more="", target="{key}", top=FAST):
        return self.pipeline(f"""
name: up
{top}
nodes:
  - use: files
    with: {{path: "{path}"}}
  - id: out
    use: gcs
    with: {{bucket: box, path: "{target}", {self.access()}{more}}}
""", "up")

    def here(self):
        out = self.folder / "out"
        return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) if out.exists() else []

    def file(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content


class Downloads(GcsTest):
    def test_what_a_pattern_names_arrives_whole(self):
        self.gcs.post("/_control/settings", {"page_cap": 3})
        names = ["in/a.csv", "in/ä #?%+.csv", "in/empty.csv", "in/sub/b.csv", "in/c.txt", "in/.hidden.csv", "in/", "other.csv", "in//d.csv"]
        for name in names:
            self.put(name, "" if "empty" in name or name.endswith("/") else name)
        for path, wanted in (("in/*.csv", ["a", "empty", "ä #?%+"]), ("in/**/*.csv", ["/d", "a", "empty", "sub/b", "ä #?%+"]),
                             ("in/{a,sub/b}.csv", ["a", "sub/b"]), ("in/a.csv", ["a"]), ("in/.h*", [".hidden"]), ("nosuch/*", [])):
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
        result = self.run_json(self.download("big"), code=5)
        self.assertIn("gs://box/big: was replaced or deleted while it was read", result.stream["error"]["message"])
        self.assertEqual(self.here(), [])
        self.run_json(self.download("big"))
        self.assertEqual((self.folder / "out/big").read_text(), "another")

    def test_what_is_wrong_is_said(self):
        self.put("a", "1")
        denied = {"denied": ["storage.objects.get", "storage.objects.list"]}
        cases = [
            ("nosuch", {}, {}, 7, "path: gs://box/nosuch is not there"),
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
        for kept in range(4):
            for answer in (False, True):
                self.faults({"action": "keep", "bytes": UNIT * kept, "answer": answer, "match": PIECE, "skip": kept % 2})
                self.run_json(self.upload("big"))
                self.assertEqual((self.content("big"), list(self.objects())), (content, ["big"]))
                self.assertEqual(self.gcs.get("/_control/faults_left"), 0)
                again = f"bytes {UNIT * (kept + 4 * (kept % 2))}-"
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
        self.assertEqual(self.content("a"), b"theirs")
        self.assertEqual(len(self.objects()), 2)
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
        self.run_json(self.upload("nosuch*"))  # commits what is on record, and reads nothing new
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


class Copies(GcsTest):
    def copy(self, *arguments):
        result = self.patchbay("copy", *arguments)
        self.assertEqual(result.code, 0, result)

    def uri(self, path):
        return f"gs://box/{path}?endpoint={self.gcs.url}&credentials=gcs"

    def test_copy_works_both_ways(self):
        self.put("in/orders.csv", "id,name\n1,a\n2,\n")
        self.copy(self.uri("in/orders.csv"), "shop.db")
        self.assertEqual(self.rows("SELECT * FROM orders", "shop.db"), [(1, "a"), (2, None)])
        self.copy("sqlite:shop.db?table=orders", self.uri("out/orders.jsonl"))
        self.assertEqual(self.content("out/orders.jsonl"), b'{"id":1,"name":"a"}\n{"id":2,"name":null}\n')
        self.copy(self.uri("in/*.csv"), self.uri("copy/"))
        self.assertEqual(self.content("copy/in/orders.csv"), self.content("in/orders.csv"))


class Sizes(GcsTest):
    def test_many_objects_share_few_connections(self):
        for number in range(40):
            self.put(f"in/{number}", str(number))
        self.run_json(self.download("in/*", top="concurrency: 4\n" + FAST))
        self.run_json(self.upload("out/in/*", target="{key}", top="concurrency: 4\n" + FAST))
        self.assertEqual(len(self.objects()), 80)
        for method, part in (("GET", MEDIA), ("POST", "rewriteTo")):
            found = self.requests(method, part)
            self.assertEqual(len(found), 40)
            self.assertLessEqual(len({request["port"] for request in found}), 8)

    def run_measured(self, pipeline):
        """Seconds, and the peak of resident memory in MiB."""
        started = time.monotonic()
        done = subprocess.run(["/usr/bin/env", "python3", "-c", """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
""", str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline],
                              capture_output=True, text=True, cwd=self.folder, env=self.environment, timeout=120)
        code, peak = map(int, done.stdout.split())
        self.assertEqual(code, 0, done.stderr)
        return time.monotonic() - started, peak

    def test_memory_is_bounded_whatever_the_size(self):
        self.put("big", 200 << 20, seed=5)
        big = f"chunk_size: {8 << 20}"
        for make, path in ((self.download, "big"), (self.upload, "out/big")):
            pipeline = make(path)
            file = pathlib.Path(pipeline)
            file.write_text(file.read_text().replace(f"chunk_size: {UNIT}", big))
            seconds, peak = self.run_measured(pipeline)
            print(f"{path}: {200 / seconds:.0f} MiB/s, {peak} MiB at most")
            self.assertLess(peak, 96)
        self.assertEqual(self.objects()["out/big"]["crc32c"], self.objects()["big"]["crc32c"])

    def test_a_transfer_ends_within_a_second_when_cancelled(self):
        self.put("big", 4 * UNIT, seed=5)
        self.file("big", b"x" * 4 * UNIT)
        for pipeline, match in ((self.download("big"), MEDIA), (self.upload("big"), PIECE)):
            self.faults({"action": "hang", "match": match, "skip": 1})
            run = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 30
            while self.gcs.get("/_control/faults_left") and time.monotonic() < deadline:
                pass
            begun = time.monotonic()
            run.send_signal(signal.SIGTERM)
            _, errors = run.communicate(timeout=30)
            self.assertEqual(run.returncode, 143, errors)
            self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(list(self.objects()), ["big"])


if __name__ == "__main__":
    main()
