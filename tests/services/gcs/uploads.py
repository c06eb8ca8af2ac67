"""Objects that come in: at once, with their metadata, or in the pieces of a resumable session."""

import json
import re
import uuid

import clock
from errors import ApiError, invalid
from store import check

UNIT = 256 * 1024
WEEK = 7 * 86400


def begin(request, bucket):
    kind, world = request.query.get("uploadType"), request.world
    world.store.bucket(bucket)
    if kind == "media":
        resource = {"contentType": request.headers.get("Content-Type")}
        return finished(request, bucket, request.query.get("name"), request.body, request.query, resource)
    if kind == "multipart":
        resource, data = parts_of(request)
        return finished(request, bucket, request.query.get("name") or resource.get("name"), data, request.query, resource)
    if kind != "resumable":
        raise invalid(f"uploadType {kind} is not known")
    resource = request.json
    name = request.query.get("name") or resource.get("name")
    if not name:
        raise ApiError(400, "required", "Required")
    resource.setdefault("contentType", request.headers.get("X-Upload-Content-Type") or "application/octet-stream")
    check(world.store.find(bucket, name), request.query)
    session = uuid.uuid4().hex
    world.sessions[session] = {"bucket": bucket, "name": name, "resource": resource, "query": request.query, "data": bytearray(),
                               "done": None, "state": "open", "begun": clock.now()}
    place = f"http://{request.headers['Host']}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={session}"
    return 200, None, {"Location": place, "X-GUploader-UploadID": session}


def parts_of(request):
    boundary = re.search(r"""boundary=["']?([^"';]+)""", request.headers.get("Content-Type", ""))
    parts = request.body.split(b"--" + boundary[1].encode()) if boundary else []
    if len(parts) < 4:
        raise invalid("a multipart upload has two parts: the metadata, and the data")
    first = parts[1]
    data = (b"--" + boundary[1].encode()).join(parts[2:-1])
    (_, meta), (head, data) = (re.split(rb"\r?\n\r?\n", part, maxsplit=1) for part in (first, data))
    kind = re.search(rb"(?i)content-type: *([^\r\n]+)", head)
    resource = {"contentType": kind[1].decode()} if kind else {}
    return {**resource, **json.loads(meta)}, data[:-2] if data.endswith(b"\r\n") else data[:-1]


def wanted_hashes(request):
    out = {}
    for header in request.headers.get_all("x-goog-hash") or []:
        for one in header.split(","):
            kind, _, value = one.strip().partition("=")
            out[{"md5": "md5Hash"}.get(kind, kind)] = value
    return out


def finished(request, bucket, name, data, query, resource):
    new = request.world.store.put(bucket, name, data, query, {**resource, **wanted_hashes(request)})
    return 200, new.resource(request.world.port)


def session_of(request):
    session = request.world.sessions.get(request.query["upload_id"])
    if not session:
        raise ApiError(404, "notFound", "No such upload session")
    if session["state"] == "cancelled":
        raise ApiError(499, "clientClosedRequest", "The upload was cancelled.")
    if session["state"] == "failed" or (session["state"] == "open" and clock.now() - session["begun"] > WEEK):
        raise ApiError(410, "uploadBroken", "The upload session is over.")
    return session


def cancel(request):
    session_of(request)["state"] = "cancelled"
    return 499, None


def put(request):
    """A piece, or with `bytes */..` the question how much is there."""
    session = session_of(request)
    if session["done"]:
        return 200, session["done"]
    text = request.headers.get("Content-Range") or f"bytes 0-{len(request.body) - 1}/{len(request.body)}"
    match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", text)
    if not match:
        raise invalid("Failed to parse Content-Range header.")
    begin_text, end, total = match.groups()
    if begin_text is not None and request.body:
        append(session["data"], request, int(begin_text), int(end), total)
    if total == str(len(session["data"])):
        return finish(request, session)
    stored = len(session["data"])
    return 308, None, {"Range": f"bytes=0-{stored - 1}"} if stored else {}


def append(data, request, first, last, total):
    body = request.body
    if first > len(data):
        raise invalid(f"Invalid request. According to the Content-Range header, the upload offset is {first} byte(s), "
                      f"which exceeds already uploaded size of {len(data)} byte(s).")
    if last - first + 1 != len(body):
        raise invalid("Invalid request. The Content-Range header does not agree with the body.")
    if total != str(last + 1) and len(body) % UNIT != 0:
        raise invalid(f"Invalid request. The number of bytes uploaded is required to be equal or greater than {UNIT}, except for the final "
                      "request, and a multiple of it.")
    if request.fault.get("action") == "keep":
        body = body[:request.fault["bytes"]]
    data += body[len(data) - first:]  # Google's library sends a piece again without asking what is there


def finish(request, session):
    try:
        _, session["done"] = finished(request, session["bucket"], session["name"], session["data"], session["query"], session["resource"])
    except ApiError:
        session["state"] = "failed"
        raise
    session["data"].clear()
    return 200, session["done"]
