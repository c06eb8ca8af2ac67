"""The fault proxy does to bytes what its rules say, and nothing else."""

import pathlib
import socket
import socketserver
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "systems"))

from harness import Proxy  # noqa: E402


class Upstream(socketserver.ThreadingTCPServer):
    """Answers each line with itself, in capitals, and keeps what came in."""

    daemon_threads = True

    def __init__(self):
        self.lines, self.got, self.changed = [], 0, threading.Condition()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait_for(self, condition):
        with self.changed:
            return self.changed.wait_for(condition, 10)


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        rest = b""
        try:
            while data := self.request.recv(65536):
                *lines, rest = (rest + data).split(b"\n")
                with self.server.changed:
                    self.server.got += len(data)
                    self.server.lines += lines
                    self.server.changed.notify_all()
                for line in lines:
                    self.request.sendall(line.upper() + b"\n")
        except OSError:
            return


class ProxyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.server_close)
        with tempfile.TemporaryDirectory() as folder:
            cls.proxy = Proxy(folder, cls.upstream.server_address[1])
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        self.proxy.reset()
        self.upstream.lines.clear()
        self.upstream.got = 0

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=10)
        self.addCleanup(client.close)
        return client

    def all_of(self, client):
        """What arrives until the connection ends, and whether it was reset."""
        got = b""
        try:
            while data := client.recv(65536):
                got += data
            return got, "end"
        except ConnectionResetError:
            return got, "reset"

    def refused(self):
        """A refusal may arrive while the client still connects."""
        try:
            return self.all_of(self.connect()) == (b"", "reset")
        except ConnectionResetError:
            return True

    def exchange(self, client, text):
        client.sendall(text)
        with client.makefile("rb") as answer:
            return answer.readline()

    def test_without_rules_bytes_pass_and_are_counted(self):
        client, line = self.connect(), b"x" * 1_000_000 + b"\n"
        self.assertEqual(self.exchange(client, line), line.upper())
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.all_of(client), (b"", "end"))
        state = self.proxy.connections()
        self.assertEqual(self.proxy.total(), {"up": len(line), "down": len(line)})
        self.assertEqual([(c["number"], c["up"], c["down"], c["fault"]) for c in state], [(1, len(line), len(line), None)])

    def test_cut_after_so_many_bytes_down(self):
        self.proxy.rules({"do": "cut", "after": 4})
        client = self.connect()
        client.sendall(b"abcdefgh\n")
        self.assertEqual(self.all_of(client), (b"ABCD", "end"))
        self.assertEqual(self.proxy.connections()[0]["fault"], "cut")

    def test_cut_after_so_many_bytes_up(self):
        self.proxy.rules({"do": "cut", "direction": "up", "after": 5})
        client = self.connect()
        client.sendall(b"abc\ndef\n")
        self.all_of(client)
        self.assertTrue(self.upstream.wait_for(lambda: self.upstream.got == 5))
        self.assertEqual(self.proxy.total()["up"], 5)

    def test_reset_arrives_as_a_reset(self):
        self.proxy.rules({"do": "reset", "after": 2})
        client = self.connect()
        client.sendall(b"abcdefgh\n")
        self.assertEqual(self.all_of(client)[1], "reset")

    def test_a_rule_strikes_once_unless_it_says_more(self):
        self.proxy.rules({"do": "cut", "after": 1}, {"do": "refuse", "connection": 3})
        for expected in (b"A", b"AB\n"):
            client = self.connect()
            client.sendall(b"ab\n")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(self.all_of(client)[0], expected)
        self.assertTrue(self.refused())
        self.assertEqual(self.exchange(self.connect(), b"ab\n"), b"AB\n")
        self.proxy.rules({"do": "cut", "after": 1, "times": 2})
        for expected in (b"A", b"A", b"AB\n"):
            client = self.connect()
            client.sendall(b"ab\n")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(self.all_of(client)[0], expected)

    def test_bytes_can_be_counted_over_all_connections(self):
        self.proxy.rules({"do": "cut", "after": 5, "of": "all"})
        self.assertEqual(self.exchange(self.connect(), b"ab\n"), b"AB\n")
        client = self.connect()
        client.sendall(b"cd\n")
        self.assertEqual(self.all_of(client), (b"CD", "end"))

    def test_a_lost_answer_belongs_to_a_request_that_was_carried_out(self):
        self.proxy.rules({"do": "lost", "direction": "up", "match": "commit"})
        client = self.connect()
        self.assertEqual(self.exchange(client, b"begin\n"), b"BEGIN\n")
        client.sendall(b"com")
        self.assertTrue(self.upstream.wait_for(lambda: self.upstream.got == 9))
        client.sendall(b"mit 7\n")
        self.assertEqual(self.all_of(client), (b"", "end"))
        self.assertTrue(self.upstream.wait_for(lambda: self.upstream.lines == [b"begin", b"commit 7"]))

    def test_cut_in_front_of_a_match(self):
        self.proxy.rules({"do": "cut", "direction": "up", "match": "commit"})
        client = self.connect()
        client.sendall(b"begin;commit\n")
        self.all_of(client)
        self.assertTrue(self.upstream.wait_for(lambda: self.upstream.got == 6))

    def test_stalled_bytes_wait_for_the_reset(self):
        self.proxy.rules({"do": "stall", "after": 2})
        client = self.connect()
        client.sendall(b"abc\n")
        self.assertEqual(client.recv(2, socket.MSG_WAITALL), b"AB")
        client.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        self.proxy.reset()
        self.assertEqual(client.recv(2, socket.MSG_WAITALL), b"C\n")

    def test_delay_and_bandwidth_take_their_time(self):
        for rule in ({"do": "delay", "seconds": 0.2}, {"do": "bandwidth", "rate": 10_000}):
            with self.subTest(rule["do"]):
                self.proxy.rules(rule)
                client, began = self.connect(), time.monotonic()
                self.exchange(client, b"x" * 2000 + b"\n")
                self.assertGreater(time.monotonic() - began, 0.19)

    def test_connections_can_be_refused_and_ended(self):
        client = self.connect()
        self.exchange(client, b"a\n")
        self.proxy.refuse()
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.assertEqual(self.exchange(client, b"b\n"), b"B\n")
        self.proxy.listen()
        self.assertEqual(self.exchange(self.connect(), b"c\n"), b"C\n")
        self.proxy.end("reset")
        self.assertEqual(self.all_of(client)[1], "reset")

    def test_wrong_rules_are_refused(self):
        for rule in ({"do": "nosuch"}, {"do": "cut", "direction": "left"}, {"do": "delay"}, {"do": "bandwidth"}, {"do": "cut", "wat": 1}):
            with self.assertRaisesRegex(Exception, "400"):
                self.proxy.rules(rule)


if __name__ == "__main__":
    unittest.main(verbosity=2)
