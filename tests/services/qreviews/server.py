"""A Q-Reviews server for tests and the demo: the shape of django-tastypie, and ways to misbehave.

    python3 server.py --port 0 --port-file FILE [--records N] [--page-cap 1000]

GET  /api/client/v2/response   sequence__gt, order_by, limit, offset, omit_count; header Authorization: ApiKey sid:key
POST /_control/config          {"page_cap": 100, "extra": {..}, ...}: see Settings
POST /_control/records         {"append": 10} or {"update": [id, ..]} or {"records": [..]}
POST /_control/faults          [{"times": 1, "skip": 0, "action": "status", "status": 500, "headers": {..}, "body": ".."}, ..]
GET  /_control/requests        the requests seen so far
POST /_control/reset           as when it was started
"""

import argparse
import json
import os
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ACCOUNT, KEY = "demo-sid", "demo-key"
DEFAULT_LIMIT = 20
TEXTS = ["Very kind staff", "Waited too long", "Grüße aus Köln 🌻", "", "Everything was explained\nstep by step"]


def timestamp(number):
    """Each way in which timestamps come: naive, Z, offset; 0 to 6 digits of a fraction."""
    base = f"2026-03-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:{(number * 7) % 60:02d}"
    return base + ["", "Z", ".5", ".123456Z", "+02:00", ".25-05:00"][number % 6]


def make_record(number, sequence):
    record = {
        "id": 10_000 + number, "sequence": sequence, "created": timestamp(number), "modified": timestamp(number + 1),
        "communication_sent": timestamp(number), "survey_opened": None if number % 5 == 0 else timestamp(number + 2),
        "survey_submitted": timestamp(number + 3), "survey_response_id": 500 + number // 4,
        "survey_language": "en" if number % 3 else "es", "via_sms": number % 2 == 0, "score": number % 6,
        "nps_score": str(number % 11), "text_answer": TEXTS[number % len(TEXTS)], "choice": None,
        "choices": ["Doctor", "Nurse"][: number % 3], "insurers": [] if number % 4 else ["ACME Health"],
        "department": {"id": number % 7, "name": f"Department {number % 7}"},
        "survey": {"id": 3, "name": "After the visit"},
        "question": {"id": 799, "text": "How likely are you to recommend us?", "type": "NP"},
        "interaction": {
            "id": number, "interaction_id": f"visit-{number}", "interaction_type": "visit",
            "location_code": "clinic:north", "start_timestamp": timestamp(number), "end_timestamp": timestamp(number + 1),
            "interaction_disposition": "home",
            **{f"custom_data_{i:02d}": f"value {i}" if (number + i) % 4 else None for i in range(1, 17)},
        },
        "interactors": [
            {"client_interactor_id": f"c{number}", "first_name": f"PHI-Doc-{number:05d}", "middle_name": None,
             "last_name": "PHI-Smith", "id": number % 50, "uid": f"u{number % 50}"}
        ],
        "recipient": {
            "id": number, "uid": f"p-{number}", "first_name": f"PHI-Anna-{number:05d}", "middle_name": None,
            "last_name": f"PHI-Muster-{number:05d}", "date_of_birth": f"19{number % 80 + 10:02d}-02-{number % 28 + 1:02d}",
            "gender": "f", "phone1": f"PHI-555-{number:05d}", "phone2": None, "phone3": None, "phone4": None,
            "preferred_language": "en", "zipcode": f"0{number % 10000:04d}",
        },
    }
    if number % 13 == 0:
        del record["department"]
    return record


class Settings:
    """What /_control/config sets."""

    def __init__(self, page_cap):
        self.page_cap = page_cap        # a greater limit is silently cut to it
        self.ignore_filter = False      # sequence__gt has no effect
        self.extra = None               # {"path": "recipient.suffix", "value": .., "from_sequence": N}
        self.wrong = None               # {"path": "score", "value": .., "sequence": N}
        self.objects = "list"           # missing, null, object
        self.null_record = None         # sequence in whose place null stands


class Store:
    def __init__(self, count, page_cap):
        self.count, self.page_cap = count, page_cap
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.settings = Settings(self.page_cap)
        self.records, self.faults, self.requests = [], [], []
        self.sequence = 0
        self.append(self.count)

    def append(self, count):
        for _ in range(count):
            number = len(self.records)
            self.sequence += 1 + (number % 17 == 16)  # gaps
            self.records.append(make_record(number, self.sequence))

    def update(self, ids):
        """An update issues the record again, with the same id and a greater sequence."""
        for record in [r for r in self.records if r["id"] in ids]:
            self.sequence += 1
            self.records.remove(record)
            self.records.append({**record, "sequence": self.sequence, "modified": timestamp(self.sequence)})

    def take_fault(self):
        for fault in self.faults:
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                return None
            if fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
                return fault
        return None


def set_path(record, path, value):
    *parents, last = path.split(".")
    for parent in parents:
        record = record.setdefault(parent, {})
        if isinstance(record, list):
            record = record[0]
    record[last] = value


def spoiled(record, settings):
    extra, wrong = settings.extra, settings.wrong
    if settings.null_record == record["sequence"]:
        return None
    if (extra and record["sequence"] >= extra.get("from_sequence", 0)) or (wrong and wrong["sequence"] == record["sequence"]):
        record = json.loads(json.dumps(record))
        for change in (extra, wrong):
            if change and record["sequence"] >= change.get("from_sequence", change.get("sequence", 0)):
                if change is not wrong or record["sequence"] == wrong["sequence"]:
                    set_path(record, change["path"], change["value"])
    return record


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None

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

    def answer(self, status, body=b"", content_type="application/json", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = json.loads(body) if body else None
        with self.store.lock:
            self.control(urlsplit(self.path).path, data)
        self.answer(200, {"sequence": self.store.sequence})

    def control(self, path, data):
        store = self.store
        if path == "/_control/reset":
            store.reset()
        elif path == "/_control/config":
            for name, value in data.items():
                if not hasattr(store.settings, name):
                    raise ValueError(f"no setting {name}")
                setattr(store.settings, name, value)
        elif path == "/_control/faults":
            store.faults = data
        elif path == "/_control/records":
            store.append(data.get("append", 0))
            store.update(data.get("update", []))
            for record in data.get("records", []):
                store.records.append(record)
                store.sequence = max(store.sequence, record.get("sequence") or 0)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/_control/requests":
            return self.answer(200, self.store.requests)
        with self.store.lock:
            self.store.requests.append({"path": self.path, "headers": dict(self.headers)})
            fault = self.store.take_fault()
        if fault and self.misbehave(fault):
            return None
        if url.path != "/api/client/v2/response":
            return self.answer(404, b"")
        if self.headers.get("Authorization") != f"ApiKey {ACCOUNT}:{KEY}":
            return self.answer(401, b"", "text/html")
        return self.list_responses({k: v[-1] for k, v in parse_qs(url.query).items()}, fault)

    def misbehave(self, fault):
        """True when the request is dealt with."""
        action = fault["action"]
        if action == "status":
            self.answer(fault["status"], fault.get("body", "").encode(), fault.get("type", "text/html"),
                        fault.get("headers", {}))
        elif action == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif action == "hang":
            time.sleep(fault.get("seconds", 3600))
        elif action == "endless":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                pass
            self.close_connection = True
        else:
            return False  # cut, cut_json: after the page is made
        return True

    def list_responses(self, query, fault):
        try:
            limit, offset = int(query.get("limit", DEFAULT_LIMIT)), int(query.get("offset", 0))
            if limit < 0 or offset < 0:
                raise ValueError
        except ValueError:
            return self.answer(400, {"error": f"Invalid limit '{query.get('limit')}' provided. Please provide a positive integer."})
        settings = self.store.settings
        with self.store.lock:
            after = -1 if settings.ignore_filter else int(query.get("sequence__gt", -1))
            found = [r for r in self.store.records if r is None or r["sequence"] > after]
        found.sort(key=lambda r: r["sequence"], reverse=query.get("order_by") == "-sequence")
        cap = settings.page_cap
        limit = cap if limit == 0 else min(limit, cap)
        page = [spoiled(record, settings) for record in found[offset:offset + limit]]
        meta = {"limit": limit, "next": None, "offset": offset, "previous": None}
        if query.get("omit_count") != "true":
            meta["total_count"] = len(found)
        envelope = {"meta": meta}
        if settings.objects != "missing":
            envelope["objects"] = {"list": page, "null": None, "object": {}}[settings.objects]
        body = json.dumps(envelope, ensure_ascii=False).encode()
        if fault and fault["action"] == "cut_json":
            body = body[: len(body) // 2]
        if fault and fault["action"] == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return None
        return self.answer(200, body)


def serve(handler, port, port_file):
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    if port_file:
        with open(port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.server_address[1]))
        os.rename(port_file + ".new", port_file)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--records", type=int, default=1200)
    parser.add_argument("--page-cap", type=int, default=1000)
    arguments = parser.parse_args()
    Handler.store = Store(arguments.records, arguments.page_cap)
    serve(Handler, arguments.port, arguments.port_file)


if __name__ == "__main__":
    main()
