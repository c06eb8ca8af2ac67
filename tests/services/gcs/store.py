"""Buckets, objects and the conditions under which they may change."""

import base64
import datetime
import hashlib

import clock
from crc32c import crc32c
from errors import ApiError, invalid

OVERRIDES = ("contentType", "contentEncoding", "cacheControl", "metadata")


class NotModified(Exception):
    """304: a condition of the kind "only if it is another" did not hold for a read."""


def time_text(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def no_object(bucket, name):
    return ApiError(404, "notFound", f"No such object: {bucket}/{name}")


class Object:
    def __init__(self, bucket, name, data, generation, resource=None, components=None, copy_of=None):
        self.bucket, self.name, self.data, self.generation = bucket, name, copy_of.data if copy_of else bytes(data), generation
        self.meta = {k: v for k, v in (resource or {}).items() if k in OVERRIDES}
        self.meta.setdefault("contentType", "application/octet-stream")
        self.metageneration, self.components = 1, components
        self.created = self.updated = clock.now()
        self.crc32c = copy_of.crc32c if copy_of else crc32c(self.data)
        self.md5 = copy_of.md5 if copy_of else base64.b64encode(hashlib.md5(self.data).digest()).decode()

    def resource(self, port):
        path = f"http://127.0.0.1:{port}/storage/v1/b/{self.bucket}/o/{self.name}"
        out = {"kind": "storage#object", "id": f"{self.bucket}/{self.name}/{self.generation}", "selfLink": path, "name": self.name,
               "bucket": self.bucket, "generation": str(self.generation), "metageneration": str(self.metageneration),
               "storageClass": "STANDARD", "size": str(len(self.data)), "crc32c": self.crc32c,
               "etag": base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode(),
               "timeCreated": time_text(self.created), "updated": time_text(self.updated), **self.meta}
        if self.components:
            out["componentCount"] = self.components
        else:
            out["md5Hash"] = self.md5
        return out


def check(found, query, reading=False, prefix="if"):
    """Throws where a condition of the query does not hold for the object, or for its absence."""
    facts = {"Generation": found.generation if found else 0, "Metageneration": found.metageneration if found else None}
    for what, fact in facts.items():
        wanted, unwanted = query.get(f"{prefix}{what}Match"), query.get(f"{prefix}{what}NotMatch")
        if wanted is not None and int(wanted) != fact:
            raise ApiError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
        if unwanted is not None and int(unwanted) == fact:
            if reading:
                raise NotModified()
            raise ApiError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


class Store:
    def __init__(self):
        self.buckets, self.last_generation = {}, 1_700_000_000_000_000

    def next_generation(self):
        self.last_generation += 1
        return self.last_generation

    def make_bucket(self, name):
        if name in self.buckets:
            raise ApiError(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
        self.buckets[name] = {}

    def bucket(self, name):
        if name not in self.buckets:
            raise ApiError(404, "notFound", "The specified bucket does not exist.")
        return self.buckets[name]

    def find(self, bucket, name):
        return self.bucket(bucket).get(name)

    def get(self, bucket, name, query, reading=True, prefix="if", generation="generation"):
        found = self.find(bucket, name)
        if not found or str(query.get(generation, found.generation)) != str(found.generation):
            raise no_object(bucket, name)
        check(found, query, reading, prefix)
        return found

    def put(self, bucket, name, data, query, resource=None, components=None, copy_of=None):
        """A new generation; the resource may say what the checksums must be. A copy costs no work."""
        if not name or len(name.encode()) > 1024 or "\n" in name or "\r" in name:
            raise invalid(f"Invalid object name: '{name}'")
        check(self.find(bucket, name), query)
        new = Object(bucket, name, data, self.next_generation(), resource, components, copy_of)
        for key, actual in (("crc32c", new.crc32c), ("md5Hash", new.md5)):
            wanted = (resource or {}).get(key)
            if wanted and wanted != actual:
                raise invalid(f"Provided {key} \"{wanted}\" doesn't match calculated {key} \"{actual}\".")
        self.bucket(bucket)[name] = new
        return new

    def delete(self, bucket, name, query):
        self.get(bucket, name, query, reading=False)
        del self.bucket(bucket)[name]
