"""Uploads and downloads that meet faults: Google's client library must recover, or fail, as it does with Cloud Storage."""

import io
import random
import urllib.error
import urllib.request

from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound, PreconditionFailed

from official_client import QUICKLY, UNIT, OfficialClientTest, main

CONTENT = random.Random(1).randbytes(5 * UNIT + 7)


class UploadsTest(OfficialClientTest):
    def upload(self, name="a", content=CONTENT, **options):
        blob = self.bucket.blob(name, chunk_size=2 * UNIT)
        blob.upload_from_file(io.BytesIO(content), retry=QUICKLY, checksum="crc32c", **options)
        return blob

    def session(self, **query):
        blob = self.bucket.blob("a")
        return blob.create_resumable_upload_session(**query)

    def send(self, session, range_text, body=b"", method="PUT", headers=()):
        request = urllib.request.Request(session, body, {"Content-Range": range_text, **dict(headers)}, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers.get("Range")
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Range")

    def test_pieces_of_known_and_unknown_total(self):
        self.assertEqual(self.upload(size=len(CONTENT)).download_as_bytes(), CONTENT)
        self.assertEqual(self.upload("b").download_as_bytes(), CONTENT)
        self.assertEqual(self.upload("empty", b"").download_as_bytes(), b"")
        with self.bucket.blob("w").open("wb", chunk_size=UNIT) as out:
            for at in range(0, len(CONTENT), 100_000):
                out.write(CONTENT[at:at + 100_000])
        self.assertEqual(self.bucket.blob("w").download_as_bytes(), CONTENT)

    def test_an_upload_that_breaks_off_goes_on_where_the_server_is(self):
        for fault in ({"action": "close"}, {"action": "lost"}, {"action": "status", "status": 503}, {"action": "status", "status": 500},
                      {"action": "keep", "bytes": UNIT}, {"action": "keep", "bytes": 0}):
            for skip in range(3):
                with self.subTest(fault=fault, skip=skip):
                    self.faults({**fault, "match": "PUT", "skip": skip})
                    self.assertEqual(self.upload(f"{fault}{skip}").download_as_bytes(), CONTENT)

    def test_the_state_of_a_session(self):
        session = self.session()
        self.assertEqual(self.send(session, "bytes */*"), (308, None))
        self.assertEqual(self.send(session, f"bytes 0-{UNIT - 1}/*", CONTENT[:UNIT]), (308, "bytes=0-262143"))
        self.assertEqual(self.send(session, "bytes */*"), (308, "bytes=0-262143"))
        self.assertEqual(self.send(session, f"bytes {UNIT}-{UNIT + 9}/*", CONTENT[:10])[0], 400)  # too short for a piece
        self.assertEqual(self.send(session, f"bytes 0-{UNIT - 1}/*", CONTENT[:UNIT]), (308, "bytes=0-262143"))  # is there
        self.assertEqual(self.send(session, f"bytes {2 * UNIT}-{3 * UNIT - 1}/*", CONTENT[:UNIT])[0], 400)  # leaves a gap
        self.assertEqual(self.send(session, f"bytes */{UNIT + 1}"), (308, "bytes=0-262143"))
        self.assertIsNone(self.bucket.get_blob("a"))
        self.assertEqual(self.send(session, f"bytes */{UNIT}"), (200, None))
        self.assertEqual(self.send(session, "bytes */*"), (200, None))
        self.assertEqual(self.bucket.blob("a").download_as_bytes(), CONTENT[:UNIT])

    def test_a_session_ends(self):
        session = self.session()
        self.assertEqual(self.send(session, "", method="DELETE")[0], 499)
        self.assertEqual(self.send(session, "bytes */*")[0], 499)
        session = self.session()
        self.server.post("/_control/clock", {"seconds": 8 * 86400})
        self.assertEqual(self.send(session, "bytes */*")[0], 410)
        self.assertEqual(self.send(session + "x", "bytes */*")[0], 404)

    def test_conditions_count_at_the_beginning_and_at_the_end(self):
        session = self.session(if_generation_match=0)
        self.put("a")
        self.assertEqual(self.send(session, "bytes 0-0/1", b"x")[0], 412)
        with self.assertRaises(PreconditionFailed):
            self.session(if_generation_match=0)
        with self.assertRaises(PreconditionFailed):
            self.upload(if_generation_match=0)

    def test_wrong_checksums_are_refused(self):
        session = self.session()
        self.assertEqual(self.send(session, "bytes 0-0/1", b"x", headers={"x-goog-hash": "crc32c=AAAAAA=="})[0], 400)
        self.assertIsNone(self.bucket.get_blob("a"))
        blob = self.bucket.blob("b")
        blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
        with self.assertRaises(BadRequest):
            blob.upload_from_string(b"x")
        self.faults({"action": "corrupt", "match": "alt=media"})
        self.put("c")
        with self.assertRaisesRegex(Exception, "(?i)checksum"):
            self.bucket.blob("c").download_as_bytes(retry=None)

    def test_a_download_that_is_cut_goes_on(self):
        self.put("a", CONTENT)
        for fault in ({"action": "cut", "bytes": 100_000}, {"action": "close"}, {"action": "status", "status": 503}):
            self.faults({**fault, "match": "alt=media"})
            out = io.BytesIO()
            self.bucket.blob("a", chunk_size=UNIT).download_to_file(out, retry=QUICKLY)
            self.assertEqual(out.getvalue(), CONTENT)

    def test_an_object_that_is_replaced_is_another_generation(self):
        blob = self.put("a", CONTENT)
        self.faults({"action": "replace", "match": "alt=media", "skip": 1})
        with self.assertRaises((NotFound, GoogleAPICallError)):
            self.bucket.blob("a", chunk_size=UNIT, generation=blob.generation).download_as_bytes(retry=QUICKLY)

    def test_void_tokens_are_renewed(self):
        self.put("a")
        self.server.post("/_control/tokens", {})
        self.assertEqual(self.bucket.blob("a").download_as_bytes(), b"content")


if __name__ == "__main__":
    main()
