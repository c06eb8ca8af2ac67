"""A Q-Reviews server for tests, the demo and benchmarks: django-tastypie, and ways to misbehave.

    python3 server.py --port 0 --port-file FILE [--records N] [--page-cap 1000] [--seed S]
                      [--first-sequence N] [--prerendered]

GET  /api/client/v2/response   sequence__gt, order_by, limit, offset, omit_count;
                               header Authorization: ApiKey demo-sid:demo-key
POST /_control/config          {"page_cap": 100, "extra": {..}, ..}: see store.Settings
POST /_control/records         {"append": 10, "from_sequence": N}, {"update": [id, ..]} or
                               {"records": [..]}
POST /_control/faults          [{"action": "status", "status": 500, "skip": 1}, ..]: see faults.py
GET  /_control/requests        those seen so far: method, path, query, headers, at (monotonic)
POST /_control/reset           as when it was started
"""

import argparse
import html
import json
import os
import signal
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import faults
from envelope import PATH, BadRequest, make_page
from prerendered import Pages, RawServer
from store import Store

ACCOUNT, KEY = "demo-sid", "demo-key"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:  # a client that left or was killed
            self.close_connection = True

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self, status, length, content_type="application/json", headers=()):
        """The head of an answer; without a length the body lasts as long as the connection."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status, body=b"", content_type="application/json", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        self.start(status, len(body), content_type, headers)
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = urlsplit(self.path).path
        if not name.startswith("/_control/"):
            return self.answer(405, b"GET", content_type="text/html; charset=utf-8", headers={"Allow": "GET"})
        try:
            with self.store.lock:
                control(self.store, name.removeprefix("/_control/"), json.loads(body or b"{}"))
        except (ValueError, TypeError, AttributeError) as error:
            return self.answer(400, {"error": str(error)})
        return self.answer(200, {"sequence": self.store.sequence})

    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        with self.store.lock:
            if url.path == "/_control/requests":
                return self.answer(200, self.store.requests)
            self.store.note({"method": "GET", "path": self.path, "query": query,
                             "headers": dict(self.headers)})
            fault = self.store.take_fault(self.path)
        if fault and faults.instead_of_page(self, fault):
            return None
        if url.path.rstrip("/") != PATH:
            return self.answer(404, content_type="text/html; charset=utf-8")
        if not self.authorized(query):
            return self.answer(401, content_type="text/html; charset=utf-8")
        return self.list_responses(query, fault)

    def authorized(self, query):
        """In the header, or as tastypie also takes it, in the query."""
        kind, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "apikey":
            credentials = f"{query.get('username', '')}:{query.get('api_key', '')}"
        return credentials == f"{ACCOUNT}:{KEY}"

    def list_responses(self, query, fault):
        try:
            with self.store.lock:
                body = json.dumps(make_page(self.store, query), ensure_ascii=False).encode()
        except BadRequest as error:
            return self.answer(400, {"error": html.escape(str(error), quote=False)})
        if fault:
            return faults.spoil_page(self, fault, body)
        return self.answer(200, body)


def control(store, verb, data):
    if verb == "reset":
        store.reset()
    elif verb == "config":
        for name, value in data.items():
            if not hasattr(store.settings, name):
                raise ValueError(f"no setting {name}")
            setattr(store.settings, name, value)
    elif verb == "faults":
        store.faults = list(data)
    elif verb == "records":
        store.append(data.get("append", 0), data.get("from_sequence"))
        store.update(data.get("update", []))
        for record in data.get("records", []):
            store.add(record)
    else:
        raise ValueError(f"no verb {verb}")


def serve(server, port_file):
    if port_file:
        with open(port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.server_address[1]))
        os.rename(port_file + ".new", port_file)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--records", type=int, default=1200)
    parser.add_argument("--page-cap", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-sequence", type=int, default=1)
    parser.add_argument("--prerendered", action="store_true",
                        help="for benchmarks: pages of ready bytes; no faults, no control")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    address = ("127.0.0.1", arguments.port)
    content = arguments.records, arguments.page_cap, arguments.seed, arguments.first_sequence
    if arguments.prerendered:
        server = RawServer(address, Pages(*content), f"ApiKey {ACCOUNT}:{KEY}")
        return serve(server, arguments.port_file)
    Handler.store = Store(*content)
    ThreadingHTTPServer.request_queue_size = 128
    return serve(ThreadingHTTPServer(address, Handler), arguments.port_file)


if __name__ == "__main__":
    main()
