"""Servers that do not answer as they should: what is said, and how long it takes."""

import pathlib
import socket
import threading
import time

from harness import PATIENCE, main
from operations import OperationsTest

ATTEMPTS = 2
HOUR = {"seconds": 3600}
# The fault, seconds without a byte that are allowed, exit code, words of the message, and seconds it may take in all.
FAULTS = [
    ({"action": "hang", **HOUR}, 0.5, 5, "no byte came or went for 500 ms (2 attempts)", 2),
    ({"action": "stall", **HOUR}, 0.5, 5, "no byte came or went for 500 ms (2 attempts)", 2),
    ({"action": "slow", "pieces": 100000}, 0.1, 5, "timed out after", 3),
    ({"action": "half_close"}, 5, 5, "bytes remaining", 2),
    ({"action": "close"}, 5, 5, "Empty reply from server (2 attempts)", 2),
    ({"action": "cut"}, 5, 5, "bytes remaining", 2),
    ({"action": "html"}, 5, 7, "answered 200 with a body that is no JSON (text/html; charset=utf-8, ", 2),
    ({"action": "cut_json"}, 5, 7, "answered 200 with a body that is no JSON", 2),
    ({"action": "endless"}, 5, 7, "the body is over the limit of 67108864 bytes", 10),
    ({"action": "status", "status": 404}, 5, 7, "answered 404", 2),
    ({"action": "status", "status": 403}, 5, 4, "answered 403", 2),
    ({"action": "status", "status": 401}, 5, 4, "answered 401", 2),
    ({"action": "status", "status": 503}, 5, 5, "answered 503 (2 attempts)", 2),
    ({"action": "status", "status": 429, "headers": {"Retry-After": "3600"}}, 5, 5, "asking to wait 3600 s", 2),
    ({"action": "redirect", "location": "http://127.0.0.2:1/"}, 5, 7, "redirected to another server", 2),
    ({"action": "redirect", "location": "/api/client/v2/response"}, 5, 7, "too many redirects", 2),
]


class ServersTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()

    def patient(self, seconds, url=None, retry=f"attempts: {ATTEMPTS}, delay: 1ms"):
        text = pathlib.Path(self.reviews(f"retry: {{{retry}}}", url=url)).read_text()
        return self.pipeline(text.replace("page_size:", f"timeout: {seconds}, page_size:"), "reviews")

    def assert_ends(self, pipeline, code, words, seconds):
        began = time.monotonic()
        result = self.patchbay("run", pipeline, "--output", "json")
        took = time.monotonic() - began
        self.assertEqual((result.code, result.json["exit_code"], result.json["outcome"]), (code, code, "failed"), result)
        error = result.json["error"] if "error" in result.json else result.stream["error"]
        self.assertIn(words, error["message"])
        self.assertEqual(error["node"], "qreviews")
        self.assertLess(took, seconds * PATIENCE, error)
        self.assertNotIn("PHI-", result.out + result.err)

    def test_each_fault_ends_with_its_code_in_time_and_the_next_run_completes(self):
        for number, (fault, patience, code, words, seconds) in enumerate(FAULTS):
            with self.subTest(fault):
                self.server.post("/_control/reset", {})
                self.fault({"times": 99, "skip": number % 2, **fault})
                self.assert_ends(self.patient(patience), code, words, seconds)
        self.server.post("/_control/reset", {})
        self.complete(self.reviews())

    def test_nobody_listens(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            self.assert_ends(self.patient(5, url), 5, f"GET {url}/api/client/v2/response: ", 2)
            self.assert_fails(self.patchbay("check", self.patient(5, url)), 5, "qreviews: GET " + url)

    def test_somebody_listens_and_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.assert_ends(self.patient(0.5, f"http://127.0.0.1:{mute.getsockname()[1]}"), 5, "no byte came or went for", 2)

    def test_another_protocol(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            def talk():
                for _ in range(ATTEMPTS):
                    connection, _ = other.accept()
                    with connection:
                        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                        connection.recv(4096)
            threading.Thread(target=talk, daemon=True).start()
            self.assert_ends(self.patient(5, f"http://127.0.0.1:{other.getsockname()[1]}"), 5, "HTTP/0.9", 2)

    def test_https_where_http_is_spoken(self):
        self.assert_ends(self.patient(5, self.server.url.replace("http:", "https:")), 5, "GET https://127.0.0.1:", 2)

    def test_attempts_end_when_their_time_is_over(self):
        self.fault({"action": "status", "status": 500, "times": 100000})
        self.assert_ends(self.patient(5, retry="attempts: 100, delay: 100ms, for: 1s"), 5, "answered 500 (", 3)
        self.assertLess(self.requests(), 50)

    def test_trouble_that_passes_is_no_failure(self):
        self.fault(*[{"skip": 1, **fault} for fault, *_ in FAULTS[:6] if fault["action"] != "slow"])
        self.complete(self.patient(0.3, retry="attempts: 9, delay: 1ms"))


if __name__ == "__main__":
    main()
