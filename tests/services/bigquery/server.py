"""A BigQuery server for tests and the demo: datasets, tables, insertAll, load, copy and query jobs, a token endpoint.

    python3 server.py --port 0 --port-file FILE

POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": "status|close|lost|hang", "status": 503,
                          "body": .., "headers": {..}}, ..]; lost = the work is done, the answer never comes
POST /_control/jobs       {"pending_polls": 2, "failures": [{"reason": "backendError"}]}
POST /_control/tokens     {"lifetime": 1}: of tokens from now on; those given are void
POST /_control/clock      {"seconds": 61}: the server's time moves on
POST /_control/type       {"table": [P, D, T], "field": "a.b", "type": "INTEGER"}: a column of another type, as if made so
GET  /_control/tables     every table with its expiration;  /_control/tables/P/D/T its rows
GET  /_control/requests   the requests seen so far
POST /_control/reset      empty again
GET  /_control/credentials  service-account JSON whose tokens this server gives
"""

import argparse
import gzip
import json
import os
import re
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import api  # noqa: E402
import clock  # noqa: E402
import uploads  # noqa: E402
from catalog import Catalog  # noqa: E402
from control import control  # noqa: E402
from errors import ApiError, invalid  # noqa: E402
from jobs import Jobs  # noqa: E402
from tokens import Tokens  # noqa: E402


class World:
    def __init__(self, port):
        self.lock, self.tokens = threading.RLock(), Tokens(port)
        self.reset()

    def reset(self):
        clock.reset()
        self.catalog = Catalog()
        self.jobs = Jobs(self.catalog)
        self.uploads, self.request_ids, self.faults, self.requests = {}, {}, [], []

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


class Request:
    """What the API's methods are given."""

    def __init__(self, world, handler, body):
        url = urlsplit(handler.path)
        self.world, self.method, self.path, self.body = world, handler.command, url.path, body
        self.headers = handler.headers
        self.query = {name: values[-1] for name, values in parse_qs(url.query).items()}

    @property
    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            raise invalid("Parse error: the body is no JSON", "parseError") from None


def token(request):
    try:
        return 200, request.world.tokens.grant({k: v[-1] for k, v in parse_qs(request.body.decode()).items()})
    except ApiError as error:
        return error.code, {"error": error.reason, "error_description": error.message}


def route(request):
    """(status, body, headers) of the answer."""
    if request.path == "/token":
        return token(request)
    try:
        if request.path.startswith("/upload/session/"):
            return uploads.put(request, request.path.split("/")[-1])
        request.world.tokens.check(request.headers.get("Authorization"))
        path = [unquote(part) for part in request.path.removeprefix("/upload").removeprefix("/bigquery/v2/").split("/")]
        if request.path.startswith("/upload/") and path[0::2] == ["projects", "jobs"]:
            return uploads.begin(request, path[1])
        function, arguments = api.find(request.method, path)
        return function(request, *arguments)
    except ApiError as error:
        return error.code, error.body()
    except KeyError as error:
        return 400, invalid(f"Required parameter is missing: {error.args[0]}", "required").body()


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
        request, world = Request(self.world, self, self.read_body()), self.world
        with world.lock:
            if request.path.startswith("/_control/"):
                return self.answer(200, control(world, request.path, request.json))
            world.requests.append({"method": self.command, "path": self.path, "bytes": len(request.body)})
            fault = world.take_fault(f"{self.command} {self.path}")
            if not fault or fault["action"] == "lost":
                reply = route(request)
        return self.misbehave(fault) if fault else self.answer(*reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def misbehave(self, fault):
        if fault["action"] == "status":
            body = fault.get("body", "")
            return self.answer(fault["status"], body.encode() if isinstance(body, str) else body, fault.get("headers", {}))
        if fault["action"] == "hang":
            self.wait_for_client(fault.get("seconds", 3600))
        self.close_connection = True
        return self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_client(self, seconds):
        """Until the client has gone, or the time is over."""
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            pass


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
