"""A BigQuery server for tests and the demo: datasets, tables, insertAll, load, copy and query jobs, a token endpoint.

    python3 server.py --port 0 --port-file FILE

POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": "status|close|lost|hang", "status": 503,
                          "body": .., "headers": {..}}, ..]; lost = the work is done, the answer never comes
POST /_control/jobs       {"pending_polls": 2, "failures": [{"reason": "backendError"}]}
POST /_control/type       {"table": [P, D, T], "field": "a.b", "type": "INTEGER"}: a column of another type, as if made so
GET  /_control/tables     every table with its expiration;  /_control/tables/P/D/T its rows
GET  /_control/requests   the requests seen so far
POST /_control/reset      empty again
GET  /_control/credentials  service-account JSON whose tokens this server gives
"""

import argparse
import base64
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from catalog import ApiError, Catalog  # noqa: E402
from jobs import Jobs  # noqa: E402
from values import Invalid, cell, check_row  # noqa: E402

DEDUPE_SECONDS = 60
CHUNK = 256 * 1024


class Tokens:
    """A service account of this server's own; its JWTs are verified with openssl."""

    def __init__(self, port):
        self.folder = tempfile.mkdtemp(prefix="bigquery-server-")
        self.key, self.public = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "public.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", self.key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-out", self.public], check=True)
        self.given, self.lifetime = {}, 3600
        with open(self.key, encoding="ascii") as key:
            self.account = {"type": "service_account", "project_id": "demo", "private_key_id": "k1", "private_key": key.read(),
                            "client_email": "demo@demo.iam.gserviceaccount.com", "client_id": "1",
                            "token_uri": f"http://127.0.0.1:{port}/token"}

    def grant(self, form):
        kind = form.get("grant_type")
        if kind == "refresh_token" and form.get("refresh_token") != "demo-refresh":
            raise ApiError(400, "invalid_grant", "Token has been expired or revoked.")
        if kind == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            self.verify(form.get("assertion", ""))
        elif kind != "refresh_token":
            raise ApiError(400, "unsupported_grant_type", "Invalid grant_type")
        token = "ya29." + uuid.uuid4().hex
        self.given[token] = time.time() + self.lifetime
        return {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}

    def verify(self, jwt):
        try:
            head, payload, signature = jwt.split(".")
            decode = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            claims = json.loads(decode(payload))
            files = {"signature": decode(signature), "text": f"{head}.{payload}".encode()}
        except ValueError:
            raise ApiError(400, "invalid_grant", "Invalid JWT") from None
        for name, content in files.items():
            with open(os.path.join(self.folder, name), "wb") as out:
                out.write(content)
        paths = [os.path.join(self.folder, name) for name in ("signature", "text")]
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public, "-signature", *paths], capture_output=True)
        if done.returncode != 0 or claims.get("iss") != self.account["client_email"]:
            raise ApiError(400, "invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") != "https://oauth2.googleapis.com/token" and claims.get("aud") != self.account["token_uri"]:
            raise ApiError(400, "invalid_grant", "Invalid JWT: wrong audience")
        if claims["exp"] - claims["iat"] > 3600 or claims["exp"] < time.time() or not claims.get("scope"):
            raise ApiError(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token")

    def check(self, header):
        token = (header or "").removeprefix("Bearer ")
        if self.given.get(token, 0) < time.time():
            raise ApiError(401, "authError", "Request had invalid authentication credentials.")


class World:
    def __init__(self, port):
        self.lock, self.tokens = threading.RLock(), Tokens(port)
        self.reset()

    def reset(self):
        self.catalog = Catalog()
        self.jobs = Jobs(self.catalog)
        self.uploads, self.faults, self.requests, self.results = {}, [], [], {}

    def take_fault(self, line):
        for fault in self.faults:
            if not re.search(fault.get("match", "."), line) or fault.get("times", 1) <= 0:
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            fault["times"] = fault.get("times", 1) - 1
            return fault
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:  # a client that was killed
            self.close_connection = True

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self, status, body=None, headers=()):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=UTF-8", **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def handle_any(self):
        body = self.read_body()
        url = urlsplit(self.path)
        with self.world.lock:
            if url.path.startswith("/_control/"):
                return self.answer(200, self.control(url.path, json.loads(body or b"null")))
            self.world.requests.append({"method": self.command, "path": self.path, "bytes": len(body)})
            fault = self.world.take_fault(f"{self.command} {self.path}")
        if fault and fault["action"] != "lost":
            return self.misbehave(fault)
        try:
            with self.world.lock:
                reply = self.route(url, body)
        except ApiError as error:
            reply = (error.code, error.body())
            if url.path == "/token":
                reply = (error.code, {"error": error.reason, "error_description": error.message})
        if fault:
            return self.misbehave({"action": "close"})
        return self.answer(*reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def misbehave(self, fault):
        if fault["action"] == "status":
            body = fault.get("body", "")
            self.answer(fault["status"], body.encode() if isinstance(body, str) else body, fault.get("headers", {}))
        elif fault["action"] == "hang":
            time.sleep(fault.get("seconds", 3600))
        else:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def control(self, path, data):
        world = self.world
        if path == "/_control/reset":
            world.reset()
        elif path == "/_control/faults":
            world.faults = data
        elif path == "/_control/jobs":
            world.jobs.pending_polls = data.get("pending_polls", 0)
            world.jobs.failures = data.get("failures", [])
        elif path == "/_control/type":
            fields = world.catalog.table(*data["table"]).fields
            *parents, name = data["field"].split(".")
            for parent in parents:
                fields = next(f for f in fields if f["name"] == parent)["fields"]
            next(f for f in fields if f["name"] == name)["type"] = data["type"]
        elif path == "/_control/tokens":
            world.tokens.given.clear()
            world.tokens.lifetime = data.get("lifetime", 3600)
        elif path == "/_control/credentials":
            return world.tokens.account
        elif path == "/_control/requests":
            return world.requests
        elif path == "/_control/tables":
            return [{"table": t.name, "expirationTime": t.expiration, "rows": len(t.rows)} for t in world.catalog.tables.values()]
        elif path.startswith("/_control/tables/"):
            return world.catalog.table(*path.split("/")[3:6]).rows
        return None

    def route(self, url, body):
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/token":
            return 200, self.world.tokens.grant({k: v[-1] for k, v in parse_qs(body.decode()).items()})
        if url.path.startswith("/upload/session/"):
            return self.upload_chunk(url.path.split("/")[-1], body)
        self.world.tokens.check(self.headers.get("Authorization"))
        path = [unquote(part) for part in url.path.removeprefix("/upload").removeprefix("/bigquery/v2/").split("/")]
        if url.path.startswith("/upload/"):
            return self.upload(path, query, body)
        for pattern, name in ROUTES:
            method, *parts = pattern.split("/")
            if method == self.command and len(parts) == len(path) and all(p in ("*", q) for p, q in zip(parts, path)):
                arguments = [q for p, q in zip(parts, path) if p == "*"]
                return getattr(self, name)(arguments, query, json.loads(body) if body else {})
        raise ApiError(404, "notFound", f"this server does not know {self.command} {url.path}")

    def get_dataset(self, a, *_):
        return 200, self.world.catalog.dataset(*a)

    def create_dataset(self, a, _, body):
        return 200, self.world.catalog.create_dataset(a[0], body)

    def delete_dataset(self, a, query, _):
        self.world.catalog.dataset(*a)
        tables = [key for key in self.world.catalog.tables if key[:2] == tuple(a)]
        if tables and query.get("deleteContents") != "true":
            raise ApiError(400, "resourceInUse", f"Dataset {a[0]}:{a[1]} is still in use")
        for key in tables:
            del self.world.catalog.tables[key]
        del self.world.catalog.datasets[tuple(a)]
        return 204, None

    def get_table(self, a, *_):
        return 200, self.world.catalog.table(*a).resource()

    def list_tables(self, a, *_):
        self.world.catalog.dataset(*a)
        tables = [t.resource() for k, t in self.world.catalog.tables.items() if k[:2] == tuple(a)]
        return 200, {"kind": "bigquery#tableList", "tables": tables, "totalItems": len(tables)}

    def create_table(self, a, _, body):
        return 200, self.world.catalog.create_table(*a, body).resource()

    def patch_table(self, a, _, body):
        table = self.world.catalog.table(*a)
        if self.headers.get("If-Match") not in (None, "*", table.etag):
            raise ApiError(412, "conditionNotMet", "Precondition check failed.")
        table.patch(body)
        return 200, table.resource()

    def delete_table(self, a, *_):
        self.world.catalog.delete_table(*a)
        return 204, None

    def insert_all(self, a, _, body):
        table = self.world.catalog.table(*a)
        if int(self.headers.get("Content-Length") or 0) > 10_000_000:
            raise ApiError(413, "requestTooLarge", "Request payload size exceeds the limit: 10485760 bytes.")
        good, errors = [], []
        for index, row in enumerate(body.get("rows", [])):
            try:
                good.append((row.get("insertId"), check_row(table.fields, row["json"], body.get("ignoreUnknownValues", False))))
            except Invalid as error:
                errors.append({"index": index, "errors": [{"reason": "invalid", "location": error.location, "debugInfo": "",
                                                           "message": error.message}]})
        if errors and not body.get("skipInvalidRows", False):
            bad = {error["index"] for error in errors}
            errors += [{"index": i, "errors": [{"reason": "stopped", "location": "", "debugInfo": "", "message": ""}]}
                       for i in range(len(body["rows"])) if i not in bad]
            good = []
        for insert_id, row in good:
            seen = table.seen_ids.get(insert_id, 0) if insert_id else 0
            if time.time() - seen > DEDUPE_SECONDS:
                table.rows.append(row)
            table.seen_ids[insert_id] = time.time()
        reply = {"kind": "bigquery#tableDataInsertAllResponse"}
        return 200, {**reply, "insertErrors": errors} if errors else reply

    def list_rows(self, a, query, _):
        table = self.world.catalog.table(*a)
        fields = table.fields
        if "selectedFields" in query:
            wanted = query["selectedFields"].split(",")
            fields = [f for f in fields if f["name"] in wanted]
        return 200, {"kind": "bigquery#tableDataList", "totalRows": str(len(table.rows)), "etag": table.etag,
                     **self.page(fields, table.rows, query)}

    @staticmethod
    def page(fields, rows, query):
        start = int(query.get("pageToken") or query.get("startIndex") or 0)
        size = int(query.get("maxResults") or 10_000)
        micros = query.get("formatOptions.useInt64Timestamp", "").lower() == "true"
        out = {}
        if rows[start:start + size]:
            out["rows"] = [{"f": [cell(f, row.get(f["name"]), micros) for f in fields]} for row in rows[start:start + size]]
        if start + size < len(rows):
            out["pageToken"] = str(start + size)
        return out

    def insert_job(self, a, _, body):
        return 200, self.world.jobs.insert(a[0], body)

    def get_job(self, a, *_):
        return 200, self.world.jobs.view(*a)

    def query(self, a, _, body):
        configuration = {"query": {"query": body["query"], "useLegacySql": body.get("useLegacySql", True)}}
        job = self.world.jobs.insert(a[0], {"configuration": configuration})
        return self.query_results([a[0], job["jobReference"]["jobId"]], {"maxResults": body.get("maxResults"), **{
            f"formatOptions.{k}": str(v) for k, v in body.get("formatOptions", {}).items()}}, None)

    def query_results(self, a, query, _):
        entry = self.world.jobs.jobs.get(tuple(a))
        if not entry:
            raise ApiError(404, "notFound", f"Not found: Job {a[0]}:{a[1]}")
        job = entry["resource"]
        error = job["status"].get("errorResult")
        if error:
            raise ApiError(404 if error["reason"] == "notFound" else 400, error["reason"], error["message"])
        result = job["query"]
        reply = {"kind": "bigquery#queryResponse", "jobReference": job["jobReference"], "jobComplete": True, "cacheHit": False,
                 "totalBytesProcessed": "0", "totalRows": str(len(result.rows))}
        if result.affected is not None:
            reply["numDmlAffectedRows"] = str(result.affected)
        if result.schema is not None:
            reply["schema"] = {"fields": result.schema}
            reply.update(self.page(result.schema, result.rows, {k: v for k, v in query.items() if v}))
        return 200, reply

    def upload(self, path, query, body):
        project = path[1]
        if query.get("uploadType") == "multipart":
            boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])[1].encode()
            _, meta, data, _ = body.split(b"--" + boundary)
            strip = lambda part: part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
            return 200, self.world.jobs.insert(project, json.loads(strip(meta)), strip(data))
        session = uuid.uuid4().hex
        self.world.uploads[session] = {"project": project, "body": json.loads(body), "data": bytearray(), "job": None}
        host = self.headers["Host"]
        return 200, None, {"Location": f"http://{host}/upload/session/{session}"}

    def upload_chunk(self, session, body):
        upload = self.world.uploads.get(session)
        if not upload:
            raise ApiError(404, "notFound", "No such upload session")
        if upload["job"]:
            return 200, upload["job"]
        match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers.get("Content-Range", ""))
        if not match:
            raise ApiError(400, "invalid", "Content-Range is missing or malformed")
        begin, end, total = match.groups()
        data = upload["data"]
        if begin is not None:
            if int(begin) != len(data) or int(end) - int(begin) + 1 != len(body):
                raise ApiError(400, "invalid", f"the next byte is {len(data)}")
            if total == "*" and len(body) % CHUNK != 0:
                raise ApiError(400, "invalid", "a chunk that is not the last must be a multiple of 256 KiB")
            data += body
        if total != "*" and len(data) == int(total) and (begin is not None or int(total) == len(data)):
            if begin is not None or not body:
                upload["job"] = self.world.jobs.insert(upload["project"], upload["body"], bytes(data))
                upload["data"] = bytearray()
                return 200, upload["job"]
        return 308, None, {"Range": f"bytes=0-{len(data) - 1}"} if data else {}


ROUTES = [
    ("GET/projects/*/datasets/*", "get_dataset"), ("POST/projects/*/datasets", "create_dataset"),
    ("DELETE/projects/*/datasets/*", "delete_dataset"),
    ("GET/projects/*/datasets/*/tables/*", "get_table"), ("GET/projects/*/datasets/*/tables", "list_tables"),
    ("POST/projects/*/datasets/*/tables", "create_table"), ("PATCH/projects/*/datasets/*/tables/*", "patch_table"),
    ("DELETE/projects/*/datasets/*/tables/*", "delete_table"),
    ("POST/projects/*/datasets/*/tables/*/insertAll", "insert_all"), ("GET/projects/*/datasets/*/tables/*/data", "list_rows"),
    ("POST/projects/*/jobs", "insert_job"), ("GET/projects/*/jobs/*", "get_job"),
    ("POST/projects/*/queries", "query"), ("GET/projects/*/queries/*", "query_results"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    arguments = parser.parse_args()
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    Handler.world = World(server.server_address[1])
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.server_address[1]))
        os.rename(arguments.port_file + ".new", arguments.port_file)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
