"""What the servers that stand for Google's APIs share: HTTP, tokens, faults on demand, and the /_control/ paths.

A server makes a World, says what its /_control/ paths do, and gives a function that answers requests.
"""

import argparse
import gzip
import json
import os
import re
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import clock
from errors import ApiError, invalid
from tokens import Tokens


class World:
    """A server's whole state. reset() makes it empty again; tokens outlive that."""

    options = None  # of the command line

    @staticmethod
    def add_options(parser):
        """For options of this server's own."""

    def __init__(self, port):
        self.port, self.lock, self.tokens = port, threading.RLock(), Tokens(port)
        self.reset()

    def reset(self):
        clock.reset()
        self.faults, self.requests = [], []

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

    def prepare_fault(self, fault, request):
        """For faults that change what the request meets."""

    def control(self, verb, path, data):
        """The answer to /_control/VERB/PATH, as far as it is this server's own."""
        return self.VERBS[verb](self, data)

    VERBS = {
        "reset": lambda world, _: world.reset(),
        "faults": lambda world, data: setattr(world, "faults", data),
        "faults_left": lambda world, _: sum(fault.get("times", 1) > 0 for fault in world.faults),
        "tokens": lambda world, data: world.tokens.renew(data.get("lifetime", 3600)),
        "clock": lambda world, data: clock.move(data["seconds"]),
        "credentials": lambda world, _: world.tokens.account,
        "requests": lambda world, _: world.requests,
    }


class Request:
    """What a server's methods are given."""

    def __init__(self, world, handler, body):
        url = urlsplit(handler.path)
        self.world, self.method, self.path, self.body = world, handler.command, url.path, body
        self.headers, self.fault = handler.headers, {}
        self.values = parse_qs(url.query, keep_blank_values=True)
        self.query = {name: values[-1] for name, values in self.values.items()}

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


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    world = route = None

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

    def answer(self, status, body=None, headers=(), cut=None):
        data = b"" if body is None else body if isinstance(body, (bytes, memoryview)) else json.dumps(body).encode()
        self.send_response(status)
        if status == 304:
            return self.end_headers()
        for name, value in {"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(data)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return None
        self.wfile.write(data if cut is None else data[:cut])
        return None

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
                verb, *path = request.path.removeprefix("/_control/").split("/")
                return self.answer(200, world.control(verb, path, request.json))
            world.requests.append({"method": self.command, "path": self.path, "bytes": len(request.body), "port": self.client_address[1],
                                   "range": self.headers.get("Range") or self.headers.get("Content-Range")})
            fault = world.take_fault(f"{self.command} {self.path}")
        action = fault["action"] if fault else None
        if action == "delay":
            time.sleep(fault["seconds"])
        if action in ("status", "close", "hang"):
            return self.misbehave(fault)
        with world.lock:
            if fault:
                request.fault = fault
                world.prepare_fault(fault, request)
            reply = token(request) if request.path == "/token" else self.route(request)
        if action == "lost" or (action == "keep" and not fault.get("answer")):
            return self.break_off()
        if action == "cut":
            self.answer(*reply, cut=fault["bytes"])
            return self.break_off()
        if action == "corrupt":
            reply = reply[0], bytes([reply[1][0] ^ 1]) + bytes(reply[1][1:]), *reply[2:]
        return self.answer(*reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def misbehave(self, fault):
        if fault["action"] == "status":
            body = fault.get("body", "")
            return self.answer(fault["status"], body.encode() if isinstance(body, str) else body, fault.get("headers", {}))
        if fault["action"] == "hang":
            self.wait_for_client(fault.get("seconds", 3600))
        return self.break_off()

    def break_off(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_client(self, seconds):
        """Until the client has gone, or the time is over."""
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            pass


def serve(world_class, route, description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    world_class.add_options(parser)
    arguments = world_class.options = parser.parse_args()
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    Handler.world, Handler.route = world_class(server.server_address[1]), staticmethod(route)
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.server_address[1]))
        os.rename(arguments.port_file + ".new", arguments.port_file)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()
