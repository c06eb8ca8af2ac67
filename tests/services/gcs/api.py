"""The JSON API's methods on buckets and objects, uploads apart."""

import gzip
import re
import uuid

import clock
from errors import ApiError, invalid
from listing import list_objects, some_fields
from store import OVERRIDES, check


def resource(request, found):
    return 200, some_fields(found.resource(request.world.port), request.query.get("fields"))


def make_bucket(request):
    request.world.store.make_bucket(request.json["name"])
    return get_bucket(request, request.json["name"])


def get_bucket(request, bucket):
    request.world.store.bucket(bucket)
    return 200, {"kind": "storage#bucket", "id": bucket, "name": bucket, "location": "US", "storageClass": "STANDARD", "metageneration": "1"}


def get_object(request, bucket, name):
    if request.query.get("alt") == "media":
        return media(request, bucket, name)
    return resource(request, request.world.store.get(bucket, name, request.query))


def delete_object(request, bucket, name):
    request.world.store.delete(bucket, name, request.query)
    return 204, None


def patch_object(request, bucket, name):
    found = request.world.store.get(bucket, name, request.query, reading=False)
    found.meta.update({k: v for k, v in request.json.items() if k in OVERRIDES})
    found.metageneration += 1
    found.updated = clock.now()
    return resource(request, found)


def media(request, bucket, name):
    try:
        found = request.world.store.get(bucket, name, request.query)
    except ApiError as error:
        return error.code, error.message.encode(), {"Content-Type": "text/html; charset=UTF-8"}
    hashes = f"crc32c={found.crc32c}" + ("" if found.components else f",md5={found.md5}")
    headers = {"Content-Type": found.meta["contentType"], "x-goog-hash": hashes, "x-goog-generation": str(found.generation),
               "x-goog-metageneration": str(found.metageneration), "x-goog-stored-content-length": str(len(found.data)),
               "x-goog-stored-content-encoding": found.meta.get("contentEncoding", "identity"), "Accept-Ranges": "bytes"}
    if found.meta.get("contentEncoding") == "gzip":
        if "gzip" not in request.headers.get("Accept-Encoding", ""):  # unpacked on the way, whatever range was asked for
            return 200, gzip.decompress(found.data), {**headers, "Warning": '214 UploadServer gunzipped'}
        headers["Content-Encoding"] = "gzip"
    return in_range(request.headers.get("Range"), found.data, headers)


def in_range(text, data, headers):
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text or "")
    if not match or match[0] == "bytes=-":
        return 200, data, headers
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
    else:
        first, last = max(len(data) - int(match[2]), 0), len(data) - 1
    if first >= len(data) or first > last:
        return 416, b"Requested range not satisfiable", {"Content-Type": "text/plain", "Content-Range": f"bytes */{len(data)}"}
    return 206, memoryview(data)[first:last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"}


def compose(request, bucket, name):
    body, store = request.json, request.world.store
    sources = body.get("sourceObjects", [])
    if not 1 <= len(sources) <= 32:
        raise invalid("The number of source components provided must be between 1 and 32.")
    parts = []
    for source in sources:
        wanted = source.get("objectPreconditions", {})
        parts.append(store.get(bucket, source["name"], {**source, **wanted}, reading=False))
    components = sum(part.components or 1 for part in parts)
    data = b"".join(part.data for part in parts)
    return resource(request, store.put(bucket, name, data, request.query, body.get("destination"), components))


def copied(request, source, bucket, name):
    given = {k: v for k, v in request.json.items() if k in OVERRIDES}
    return request.world.store.put(bucket, name, source.data, request.query, given or source.meta, source.components, copy_of=source)


def source_of(request, bucket, name):
    return request.world.store.get(bucket, name, request.query, reading=False, prefix="ifSource", generation="sourceGeneration")


def copy_object(request, bucket, name, to_bucket, to_name):
    return resource(request, copied(request, source_of(request, bucket, name), to_bucket, to_name))


def rewrite_object(request, bucket, name, to_bucket, to_name):
    """In steps where the server was told so; conditions hold at the first and at the last."""
    world, source = request.world, source_of(request, bucket, name)
    check(world.store.find(to_bucket, to_name), request.query)
    target, given = (bucket, name, source.generation, to_bucket, to_name), request.query.get("rewriteToken")
    if given and world.rewrites.get(given, (None,))[0] != target:
        raise invalid("Invalid rewrite token.")
    done = world.rewrites.pop(given)[1] if given else 0
    size = len(source.data)
    done = min(size, done + world.rewrite_step) if world.rewrite_step else size
    answer = {"kind": "storage#rewriteResponse", "totalBytesRewritten": str(done), "objectSize": str(size), "done": done == size}
    if done < size:
        answer["rewriteToken"] = uuid.uuid4().hex
        world.rewrites[answer["rewriteToken"]] = (target, done)
        return 200, answer
    answer["resource"] = copied(request, source, to_bucket, to_name).resource(world.port)
    return 200, answer


def test_permissions(request, bucket):
    request.world.store.bucket(bucket)
    asked = request.values.get("permissions", [])
    return 200, {"kind": "storage#testIamPermissionsResponse", "permissions": [p for p in asked if p not in request.world.denied]}


# What is allowed to whom: the last column is what the account needs, on the target first.
METHODS = [
    ("POST", "b", make_bucket, ["storage.buckets.create"]),
    ("GET", "b/*", get_bucket, ["storage.buckets.get"]),
    ("GET", "b/*/iam/testPermissions", test_permissions, []),
    ("GET", "b/*/o", list_objects, ["storage.objects.list"]),
    ("GET", "b/*/o/*", get_object, ["storage.objects.get"]),
    ("DELETE", "b/*/o/*", delete_object, ["storage.objects.delete"]),
    ("PATCH", "b/*/o/*", patch_object, ["storage.objects.update"]),
    ("POST", "b/*/o/*/compose", compose, ["storage.objects.create", "storage.objects.get"]),
    ("POST", "b/*/o/*/copyTo/b/*/o/*", copy_object, ["storage.objects.create", "storage.objects.get"]),
    ("POST", "b/*/o/*/rewriteTo/b/*/o/*", rewrite_object, ["storage.objects.create", "storage.objects.get"]),
]
METHODS = [(method, pattern.split("/"), function, needs) for method, pattern, function, needs in METHODS]


def find(method, path):
    for wanted, pattern, function, needs in METHODS:
        if wanted == method and len(pattern) == len(path) and all(p in ("*", part) for p, part in zip(pattern, path)):
            return function, [part for p, part in zip(pattern, path) if p == "*"], needs
    raise ApiError(404, "notFound", "Not Found")
