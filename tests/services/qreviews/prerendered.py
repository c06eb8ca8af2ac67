"""The same pages with next to no work per request: every record is rendered up front into one
block of bytes, and a page is a slice of it. Knows sequence__gt and limit, and one order."""

import bisect
import itertools
import json
import re
import socket
import socketserver

from records import FIRST_ID, make_record, sequences_after

SEQUENCE = re.compile(rb"[?&]sequence__gt=(\d+)")
LIMIT = re.compile(rb"[?&]limit=(\d+)")
SEPARATOR = b", "
RECORD = b'{"id": %d, "sequence": %d, %s'
HEAD = (b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: keep-alive\r\n\r\n")
OPENING = b'{"meta": {"limit": %d, "next": null, "offset": 0, "previous": null}, "objects": ['
MOST_REQUEST_BYTES = 65536
CYCLE = 1000  # so many records differ; behind them only id and sequence do
DEFAULT_LIMIT = 20


def rendered_rest(number, seed):
    """The text of a record behind its id and sequence."""
    record = make_record(number, 0, seed)
    del record["id"], record["sequence"]
    return json.dumps(record, ensure_ascii=False).encode()[1:]



class Pages:
    def __init__(self, count, page_cap, seed=0, first_sequence=1):
        self.cap = page_cap
        self.order = list(itertools.islice(sequences_after(0, 0, first_sequence), count))
        rest = [rendered_rest(number, seed) for number in range(min(count, CYCLE))]
        records = [RECORD % (FIRST_ID + number, sequence, rest[number % CYCLE])
                   for number, sequence in enumerate(self.order)]
        self.starts = [0, *itertools.accumulate(len(r) + len(SEPARATOR) for r in records)]
        self.block = memoryview(SEPARATOR.join(records))

    def answer(self, request):
        """The pieces of the answer, to be sent one after the other."""
        limit = min(number_in(LIMIT, request, DEFAULT_LIMIT) or self.cap, self.cap)
        first = bisect.bisect_right(self.order, number_in(SEQUENCE, request, -1))
        last = min(first + limit, len(self.order))
        body = self.block[self.starts[first]:self.starts[last] - len(SEPARATOR)]
        if first == last:
            body = b""
        opening = OPENING % limit
        return [HEAD % (200, b"OK", len(opening) + len(body) + 2) + opening, body, b"]}"]


def number_in(pattern, request, default):
    found = pattern.search(request)
    return int(found[1]) if found else default


class RawHandler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        try:
            while True:
                head, end, rest = waiting.partition(b"\r\n\r\n")
                if end:
                    waiting = rest
                    self.send(head)
                    continue
                data = self.request.recv(MOST_REQUEST_BYTES)
                if not data or len(waiting) > MOST_REQUEST_BYTES:
                    return
                waiting += data
        except ConnectionError:  # the client left
            return

    def send(self, head):
        if self.server.authorization not in head:
            return self.request.sendall(HEAD % (401, b"Unauthorized", 0))
        for piece in self.server.pages.answer(head.partition(b"\r\n")[0]):
            self.request.sendall(piece)


class RawServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address, pages, authorization):
        self.pages = pages
        self.authorization = b"\r\nAuthorization: " + authorization.encode()
        super().__init__(address, RawHandler)
