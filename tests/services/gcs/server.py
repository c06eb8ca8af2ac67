"""A Cloud Storage server for tests and the demo: buckets, objects with generations, lists, ranges, resumable uploads, compose, rewrite.

    python3 server.py --port 0 --port-file FILE

POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": .., ..}, ..]; actions:
                            status (status, body, headers), close, hang, delay (seconds),
                            lost: the work is done, the answer never comes
                            cut: so many bytes of the answer's body, then the connection breaks
                            corrupt: the first byte of the answer's body is another
                            keep: of the piece that comes in only so many bytes are kept; then the connection breaks, unless "answer": true
                            replace: the object (or "object") has another content ("text") before the request is looked at
POST /_control/buckets    ["b", ..]
POST /_control/objects    {"bucket": .., "name": .., "text": .. | "size": N, "seed": N, and metadata}; "latin1": true: a letter is a byte
POST /_control/remove/B/NAME
GET  /_control/objects/B  metadata of all objects;  /_control/data/B/NAME the content
POST /_control/settings   {"page_cap": 1000, "rewrite_step": 0, "denied": ["storage.objects.list", ..]}
POST /_control/tokens     {"lifetime": 1}: of tokens from now on; those given are void
POST /_control/clock      {"seconds": 61}: the server's time moves on
GET  /_control/requests   the requests seen so far;  /_control/credentials a service account's JSON
POST /_control/reset      empty again
"""

import pathlib
import random
import sys
from urllib.parse import unquote

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "google")]

import api  # noqa: E402
import http_service  # noqa: E402
import uploads  # noqa: E402
from errors import ApiError, invalid  # noqa: E402
from store import NotModified, Store  # noqa: E402

WRITERS = ("cloud-platform", "devstorage.read_write", "devstorage.full_control")
READERS = (*WRITERS, "devstorage.read_only", "cloud-platform.read-only")


def content_of(data):
    if "text" in data:
        return data["text"].encode("latin-1" if data.get("latin1") else "utf-8")
    chance, most = random.Random(data.get("seed", 0)), 1 << 26
    return b"".join(chance.randbytes(min(most, data["size"] - at)) for at in range(0, data["size"], most))


class World(http_service.World):
    def reset(self):
        super().reset()
        self.store, self.sessions, self.rewrites = Store(), {}, {}
        self.page_cap, self.rewrite_step, self.denied = 1000, 0, []

    def prepare_fault(self, fault, request):
        if fault["action"] == "replace":
            bucket, name = object_of(request)
            self.store.put(bucket, fault.get("object", name), fault.get("text", "another").encode(), {})

    def control(self, verb, path, data):
        if verb == "buckets":
            return [self.store.make_bucket(name) for name in data]
        if verb == "settings":
            return [setattr(self, name, value) for name, value in data.items()]
        if verb == "data":
            return self.store.get(path[0], unquote("/".join(path[1:])), {}).data
        if verb == "remove":
            return self.store.delete(path[0], unquote("/".join(path[1:])), {})
        if verb != "objects":
            return super().control(verb, path, data)
        if path:
            return [found.resource(self.port) for found in self.store.bucket(path[0]).values()]
        return self.store.put(data["bucket"], data["name"], content_of(data), {}, data).resource(self.port)


def path_of(request):
    for prefix in ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/"):
        if request.path.startswith(prefix):
            return [unquote(part) for part in request.path.removeprefix(prefix).split("/")]
    raise ApiError(404, "notFound", "Not Found")


def object_of(request):
    path = path_of(request)
    return path[1], path[3]


def allow(request, needs):
    scopes = request.world.tokens.check(request.headers.get("Authorization"))
    wanted = READERS if request.method == "GET" else WRITERS
    if not any(scope.rsplit("/", 1)[-1] in wanted for scope in scopes):
        raise ApiError(403, "insufficientPermissions", "Insufficient Permission: Request had insufficient authentication scopes.")
    for permission in needs:
        if permission in request.world.denied:
            account = request.world.tokens.account["client_email"]
            raise ApiError(403, "forbidden", f"{account} does not have {permission} access to the Google Cloud Storage object. "
                                             f"Permission '{permission}' denied on resource (or it may not exist).")


def dispatch(request):
    if "upload_id" in request.query:  # whoever knows the session may write
        if request.method == "DELETE":
            return uploads.cancel(request)
        return uploads.put(request)
    path = path_of(request)
    if request.path.startswith("/upload/"):
        allow(request, ["storage.objects.create"])
        return uploads.begin(request, path[1])
    if request.path.startswith("/download/"):
        request.query["alt"] = "media"
    function, arguments, needs = api.find(request.method, path)
    allow(request, needs)
    return function(request, *arguments)


def route(request):
    """(status, body, headers) of the answer."""
    try:
        return dispatch(request)
    except NotModified:
        return 304, None
    except ApiError as error:
        return error.code, error.body()
    except KeyError as error:
        return 400, invalid(f"Required parameter: {error.args[0]}", "required").body()


if __name__ == "__main__":
    http_service.serve(World, route, __doc__)
