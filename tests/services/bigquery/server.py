"""A BigQuery server for tests and the demo: datasets, tables, insertAll, load, copy and query jobs, a token endpoint.

    python3 server.py --port 0 --port-file FILE [--counting] [--save FOLDER]

<<<<<<< HEAD
POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": "status|close|lost|hang|delay|cut", "status": 503,
                          "body": .., "headers": {..}}, ..]; lost = the work is done, the answer never comes
=======
POST /_control/faults     [{"match": "regex of METHOD PATH", "skip": 0, "times": 1, "action": "status|close|lost|hang|partial", "status": 503,
                          "body": .., "headers": {..}}, ..]; lost = the work is done, the answer never comes;
                          partial = of an upload's chunk only 256 KiB are stored
>>>>>>> 69a7623 (bench: survey answers into BigQuery beside curl; tests: a BigQuery server that only counts, and one that keeps a part)
POST /_control/jobs       {"pending_polls": 2, "failures": [{"reason": "backendError"}]}
POST /_control/tokens     {"lifetime": 1}: of tokens from now on; those given are void
POST /_control/clock      {"seconds": 61}: the server's time moves on
POST /_control/type       {"table": [P, D, T], "field": "a.b", "type": "INTEGER"}: a column of another type, as if made so
GET  /_control/tables     every table with its expiration;  /_control/tables/P/D/T its rows
GET  /_control/requests   the requests seen so far
POST /_control/reset      empty again
GET  /_control/credentials  service-account JSON whose tokens this server gives
"""

import pathlib
import sys
from urllib.parse import unquote

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "google")]

import api  # noqa: E402
import control  # noqa: E402
import http_service  # noqa: E402
import uploads  # noqa: E402
from catalog import Catalog  # noqa: E402
from errors import ApiError, invalid  # noqa: E402
from jobs import Jobs  # noqa: E402


<<<<<<< HEAD
class World(http_service.World):
    def reset(self):
        super().reset()
        self.catalog = Catalog()
=======
class World:
    def __init__(self, port, counting=False, save=None):
        self.lock, self.tokens = threading.RLock(), Tokens(port)
        self.counting, self.save = counting, save
        self.reset()

    def reset(self):
        clock.reset()
        self.catalog = Catalog(self.counting)
>>>>>>> 69a7623 (bench: survey answers into BigQuery beside curl; tests: a BigQuery server that only counts, and one that keeps a part)
        self.jobs = Jobs(self.catalog)
        self.uploads, self.request_ids = {}, {}

    def control(self, verb, path, data):
        if path:
            return self.catalog.table(*path).rows
        if verb in control.VERBS:
            return control.VERBS[verb](self, data)
        return super().control(verb, path, data)


def route(request):
    """(status, body, headers) of the answer."""
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


<<<<<<< HEAD
=======
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
            action = fault["action"] if fault else None
            if action in (None, "lost", "partial"):
                reply = uploads.keep_part(request) if action == "partial" else route(request)
        return self.answer(*reply) if action in (None, "partial") else self.misbehave(fault)

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
    parser.add_argument("--counting", action="store_true", help="for benchmarks: load jobs count their lines and keep none")
    parser.add_argument("--save", help="a folder into which the data of load jobs is written, a file each: 1, 2, ..")
    arguments = parser.parse_args()
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    Handler.world = World(server.server_address[1], arguments.counting, arguments.save)
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.server_address[1]))
        os.rename(arguments.port_file + ".new", arguments.port_file)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


>>>>>>> 69a7623 (bench: survey answers into BigQuery beside curl; tests: a BigQuery server that only counts, and one that keeps a part)
if __name__ == "__main__":
    http_service.serve(World, route, __doc__)
