"""Load jobs whose data comes with them: multipart in one request, or resumable in chunks."""

import json
import os
import re
import uuid

from errors import ApiError, invalid

CHUNK = 256 * 1024


def begin(request, project):
    kind = request.query.get("uploadType")
    if kind == "multipart":
        return multipart(request, project)
    if kind != "resumable":
        raise invalid(f"uploadType {kind} is not known")
    session = uuid.uuid4().hex
    request.world.uploads[session] = {"project": project, "body": request.json, "data": bytearray(), "job": None}
    return 200, None, {"Location": f"http://{request.headers['Host']}/upload/session/{session}"}


def multipart(request, project):
    boundary = re.search(r'boundary="?([^";]+)', request.headers.get("Content-Type", ""))
    parts = request.body.split(b"--" + boundary[1].encode()) if boundary else []
    if len(parts) != 4:
        raise invalid("a multipart upload has two parts: the job, and its data")
    meta, data = (part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts[1:3])
    return 200, finished(request, project, json.loads(meta), data)


def finished(request, project, body, data):
    if "load" not in body.get("configuration", {}):
        raise invalid("only load jobs take an upload")
    save = request.world.save
    if save:
        with open(os.path.join(save, str(len(os.listdir(save)) + 1)), "wb") as file:
            file.write(data)
    jobs = request.world.jobs
    return jobs.view(project, jobs.insert(project, body, data))


def put(request, session):
    """A chunk, or with `bytes */..` the question how much is there."""
    upload = request.world.uploads.get(session)
    if not upload:
        raise ApiError(404, "notFound", "No such upload session")
    if upload["job"]:
        return 200, upload["job"]
    match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", request.headers.get("Content-Range", ""))
    if not match:
        raise invalid("Content-Range is missing or malformed")
    data, (begin_text, end, total) = upload["data"], match.groups()
    if begin_text is not None:
        append(data, request.body, int(begin_text), int(end), total)
    if total == str(len(data)):
        upload["job"] = finished(request, upload["project"], upload["body"], bytes(data))
        data.clear()
        return 200, upload["job"]
    return 308, None, {"Range": f"bytes=0-{len(data) - 1}"} if data else {}


def keep_part(request):
    """Stores the first 256 KiB of a chunk, as a server may, and says so."""
    data = request.world.uploads[request.path.split("/")[-1]]["data"]
    data += request.body[:CHUNK]
    return 308, None, {"Range": f"bytes=0-{len(data) - 1}"}


def append(data, chunk, first, last, total):
    if first != len(data) or last - first + 1 != len(chunk):
        raise invalid(f"the next byte is {len(data)}")
    is_last = total == str(last + 1)
    if not is_last and len(chunk) % CHUNK != 0:
        raise invalid("a chunk that is not the last must be a multiple of 256 KiB")
    data += chunk
