"""Objects, lists and conditions, as Google's client library sees them."""

import gzip

import google_crc32c
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed, RequestRangeNotSatisfiable

from official_client import OfficialClientTest, main


class ObjectsTest(OfficialClientTest):
    def test_content_and_metadata_come_back(self):
        for name, content in (("a/b.csv", b"id\n1\n"), ("empty", b""), ("ä #?%+.txt", "ü".encode() * 1000), ("a//b", b"x")):
            blob = self.put(name, content, content_type="text/csv")
            self.assertEqual(blob.download_as_bytes(checksum="crc32c"), content)
            self.assertEqual(blob.download_as_bytes(checksum="md5"), content)
            found = self.bucket.get_blob(name)
            self.assertEqual((found.size, found.content_type, found.metageneration), (len(content), "text/csv", 1))
            checksum = google_crc32c.Checksum(content).digest()
            self.assertEqual(found.crc32c, __import__("base64").b64encode(checksum).decode())
            self.assertIsNotNone(found.time_created)

    def test_every_write_is_a_new_generation(self):
        first = self.put("a").generation
        blob = self.put("a", b"2")
        self.assertGreater(blob.generation, first)
        with self.assertRaises(NotFound):
            self.bucket.blob("a", generation=first).download_as_bytes()
        blob.metadata = {"k": "v"}
        blob.patch()
        self.assertEqual((self.bucket.get_blob("a").metageneration, self.bucket.get_blob("a").metadata), (2, {"k": "v"}))

    def test_ranges(self):
        blob = self.put("a", b"0123456789")
        self.assertEqual(blob.download_as_bytes(start=3, end=5), b"345")
        self.assertEqual(blob.download_as_bytes(start=8), b"89")
        self.assertEqual(blob.download_as_bytes(start=8, end=100), b"89")
        with self.assertRaises(RequestRangeNotSatisfiable):
            blob.download_as_bytes(start=10, end=11)
        blob.chunk_size = 256 * 1024
        self.put("big", bytes(range(256)) * 3000)
        self.assertEqual(self.bucket.blob("big", chunk_size=256 * 1024).download_as_bytes(), bytes(range(256)) * 3000)

    def test_gzip_is_unpacked_unless_asked_for(self):
        blob = self.bucket.blob("a")
        blob.content_encoding = "gzip"
        packed = gzip.compress(b"text" * 100)
        blob.upload_from_string(packed)
        self.assertEqual(blob.download_as_bytes(raw_download=True), packed)
        self.assertEqual(blob.download_as_bytes(), b"text" * 100)

    def test_lists_in_pages(self):
        for name in ("a", "b/1", "b/2", "b/c/3", "d"):
            self.put(name)
        self.server.post("/_control/settings", {"page_cap": 2})
        names = lambda **options: [blob.name for blob in self.client.list_blobs("box", **options)]  # noqa: E731
        self.assertEqual(names(), ["a", "b/1", "b/2", "b/c/3", "d"])
        self.assertEqual(names(prefix="b/"), ["b/1", "b/2", "b/c/3"])
        self.assertEqual(names(max_results=3), ["a", "b/1", "b/2"])
        self.assertEqual(names(start_offset="b/2", end_offset="d"), ["b/2", "b/c/3"])
        self.assertEqual(names(fields="items(name),nextPageToken"), ["a", "b/1", "b/2", "b/c/3", "d"])
        self.assertEqual(names(prefix="nosuch"), [])
        listed = self.client.list_blobs("box", delimiter="/")
        self.assertEqual(([blob.name for blob in listed], sorted(listed.prefixes)), (["a", "d"], ["b/"]))
        listed = self.client.list_blobs("box", prefix="b/", delimiter="/")
        self.assertEqual(([blob.name for blob in listed], sorted(listed.prefixes)), (["b/1", "b/2"], ["b/c/"]))
        with self.assertRaises(BadRequest):
            list(self.client.list_blobs("box", page_token="nonsense"))

    def test_conditions(self):
        blob = self.put("a")
        old, now = blob.generation - 1, blob.generation
        for refused in (lambda: self.put("a", if_generation_match=0), lambda: self.put("new", if_generation_match=7),
                        lambda: blob.download_as_bytes(if_generation_match=old), lambda: blob.delete(if_generation_match=old),
                        lambda: blob.reload(if_metageneration_match=2), lambda: blob.patch(if_metageneration_match=2),
                        lambda: self.put("a", if_generation_not_match=now)):
            with self.assertRaises(PreconditionFailed):
                refused()
        with self.assertRaisesRegex(Exception, "304"):
            blob.reload(if_generation_not_match=now)
        self.put("new", if_generation_match=0)
        self.put("a", if_generation_match=now)
        with self.assertRaises(NotFound):
            self.bucket.blob("nosuch").delete(if_generation_match=1)

    def test_compose_copy_and_rewrite(self):
        parts = [self.put(name, name.encode()) for name in ("p1", "p2")]
        whole = self.bucket.blob("whole")
        whole.content_type = "text/plain"
        whole.compose(parts, if_generation_match=0, if_source_generation_match=[part.generation for part in parts])
        self.assertEqual((whole.download_as_bytes(), whole.component_count, whole.md5_hash), (b"p1p2", 2, None))
        with self.assertRaises(PreconditionFailed):
            whole.compose(parts, if_source_generation_match=[1, 2])
        with self.assertRaises(NotFound):
            whole.compose([self.bucket.blob("nosuch")])
        with self.assertRaises(BadRequest):
            whole.compose([parts[0]] * 33)
        self.assertEqual(self.bucket.copy_blob(whole, self.bucket, "copy").download_as_bytes(), b"p1p2")
        with self.assertRaises(PreconditionFailed):
            self.bucket.copy_blob(whole, self.bucket, "copy", if_generation_match=0)
        self.server.post("/_control/settings", {"rewrite_step": 3})
        target = self.bucket.blob("target")
        token, done, total = target.rewrite(whole, if_generation_match=0)
        self.assertEqual((done, total), (3, 4))
        self.assertEqual(target.rewrite(whole, token=token, if_generation_match=0), (None, 4, 4))
        self.assertEqual((target.download_as_bytes(), target.content_type), (b"p1p2", "text/plain"))
        with self.assertRaises(PreconditionFailed):
            self.bucket.blob("other").rewrite(whole, if_source_generation_match=1)

    def test_deleted_is_gone(self):
        self.put("a").delete()
        self.assertIsNone(self.bucket.get_blob("a"))
        with self.assertRaises(NotFound):
            self.bucket.blob("a").delete()

    def test_what_is_wrong_has_its_status(self):
        with self.assertRaisesRegex(NotFound, "The specified bucket does not exist"):
            list(self.client.list_blobs("nosuch"))
        with self.assertRaisesRegex(NotFound, "No such object: box/nosuch"):
            self.bucket.blob("nosuch").reload()
        with self.assertRaises(NotFound):
            self.bucket.blob("nosuch").download_as_bytes()
        with self.assertRaises(Conflict):
            self.client.create_bucket("box")
        self.server.post("/_control/settings", {"denied": ["storage.objects.list"]})
        with self.assertRaisesRegex(Forbidden, "storage.objects.list"):
            list(self.client.list_blobs("box"))
        self.assertEqual(self.bucket.test_iam_permissions(["storage.objects.list", "storage.objects.get"]), ["storage.objects.get"])

    def test_a_narrow_scope_can_only_read(self):
        self.put("a")
        with self.connect("devstorage.read_only") as client:
            bucket = client.bucket("box")
            self.assertEqual(bucket.blob("a").download_as_bytes(), b"content")
            with self.assertRaisesRegex(Forbidden, "scopes"):
                bucket.blob("b").upload_from_string(b"x")


if __name__ == "__main__":
    main()
