"""PostgreSQL behind a proxy that loses answers, stalls and delays; servers that restart, fill up or stop being writable."""

import signal
import time

from harness import main
from postgres_behind_proxy import BehindProxy

# What ends an epoch, and nothing else.
COMMIT = "search_path = DEFAULT; COMMIT\0"


class FaultTest(BehindProxy):
    def test_the_answer_to_commit_is_lost(self):
        for number, write in enumerate(("append", "replace, keys: []", "upsert, keys: [id]")):
            with self.subTest(write):
                self.sql("DROP TABLE IF EXISTS t, _patchbay_epochs")
                self.patchbay("state", "reset", "load")
                self.proxy.reset()
                self.proxy.rules({"do": "lost", "direction": "up", "match": COMMIT, "times": 2})
                options = f", write: {write}".replace(", keys: []", "")
                self.run_json(self.down(options=options, uri=self.through()))
                self.assertIn("lost", [c["fault"] for c in self.proxy.connections()])
                self.target_is_whole("t")
                self.assertEqual(self.column("SELECT count(*) FROM _patchbay_epochs WHERE fenced = 1"), ["0"], number)

    def test_commit_never_arrives(self):
        self.proxy.rules({"do": "cut", "direction": "up", "match": COMMIT})
        self.run_json(self.down(uri=self.through()))
        self.assertIn("cut", [c["fault"] for c in self.proxy.connections()])
        self.target_is_whole("t")

    def test_the_next_run_finds_out_how_a_commit_ended(self):
        self.proxy.rules({"do": "lost", "direction": "up", "match": COMMIT}, {"do": "refuse", "times": 50})
        process = self.start(self.down(uri=self.through(), attempts=1))
        self.wait_until(lambda: self.proxy.connections() and any(c["fault"] for c in self.proxy.connections()))
        self.assertEqual(process.wait(30), 5)
        self.proxy.reset()
        self.run_json(self.down(uri=self.through()))
        self.target_is_whole("t")

    def test_a_slow_server_takes_its_time(self):
        self.proxy.rules({"do": "delay", "seconds": 0.01})
        self.run_json(self.down(uri=self.through()))
        self.target_is_whole("t")

    def test_a_silent_server_ends_with_the_signal_within_a_second(self):
        cases = [({"do": "stall", "direction": "up", "after": 150_000, "of": "all"}, self.down(uri=self.through())),
                 ({"do": "stall", "direction": "down", "match": "COPY "}, self.down(uri=self.through(), options=", write: replace")),
                 ({"do": "stall", "direction": "down", "after": 200_000, "of": "all"}, self.copy(", tables: {a: a}", ", schema: other", source_uri=self.through())),
                 ({"do": "stall", "direction": "up", "after": 1}, self.copy(", tables: {a: a}", ", schema: other", source_uri=self.through())),
                 ({"do": "stall", "direction": "up", "match": COMMIT}, self.down(uri=self.through()))]
        for rule, pipeline in cases:
            with self.subTest(rule):
                self.proxy.reset()
                # The last case's session would use the rule up.
                self.wait_until(lambda: not self.sql("SELECT FROM pg_stat_activity WHERE application_name = 'patchbay'"))
                # A way to ask the server to cancel would let it off: none answers.
                self.proxy.rules(rule)
                process = self.start(pipeline)
                self.wait_until(lambda: any(c["fault"] == "stall" for c in self.proxy.connections()))
                self.proxy.rules({"do": "stall", "direction": "down", "times": 50}, {"do": "stall", "direction": "up", "times": 50})
                began = time.monotonic()
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(10), 130)
                self.assertLess(time.monotonic() - began, 2)
                self.proxy.reset()

    def test_a_server_that_restarts_in_the_middle(self):
        self.proxy.rules({"do": "stall", "direction": "up", "after": 200_000, "of": "all"})
        process = self.start(self.down(uri=self.through(), attempts=20))
        self.wait_until(lambda: any(c["fault"] for c in self.proxy.connections()))
        self.server.stop("immediate")
        self.server.start()
        self.proxy.reset()
        self.assertEqual(process.wait(60), 0)
        self.target_is_whole("t")

    def test_a_session_that_is_ended_in_the_middle(self):
        for state, pipeline in (("active", self.down()), ("idle in transaction", self.down(options=", write: replace"))):
            with self.subTest(state):
                self.sql("DROP TABLE IF EXISTS t, _patchbay_epochs")
                self.patchbay("state", "reset", "load")
                process = self.start(pipeline)
                kills = 0
                while process.poll() is None and kills < 2:
                    kills += len(self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'patchbay' AND query LIKE '%COPY%' LIMIT 1"))
                self.assertEqual(process.wait(60), 0)
                self.target_is_whole("t")

    def test_locks_that_do_not_come_free(self):
        self.sql("CREATE TABLE t (id bigint, pad text)")
        blocker = self.session("BEGIN; LOCK TABLE t")
        uri = self.server.uri + "&options=-c%20lock_timeout%3D50ms"
        self.fails(self.down(uri=uri, attempts=2), 5, "lock timeout")
        blocker.communicate("ROLLBACK;\n")
        self.run_json(self.down(uri=uri))
        self.target_is_whole("t")

    def test_a_source_that_breaks_while_the_sink_waits(self):
        pipeline = self.copy(", tables: {a: a}", ", schema: other", source_uri=self.through())
        self.run_json(pipeline)
        most = self.proxy.total()["down"] * 8 // 10
        self.proxy.reset()
        self.sql("TRUNCATE other.a")
        self.patchbay("state", "reset", "copy")
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        blocker = self.session("BEGIN; LOCK TABLE other.a IN SHARE MODE")
        self.proxy.rules({"do": "stall", "direction": "down", "of": "all", "after": most})
        process = self.start(pipeline)
        self.wait_until(lambda: self.column(waiting))
        sink = self.column(waiting)
        self.proxy.end("reset")
        self.wait_until(lambda: self.column(waiting) not in ([], sink))
        blocker.communicate("ROLLBACK;\n")
        self.assertEqual(process.wait(60), 0)
        self.target_is_whole("other.a")

    def test_limits_of_the_server_are_temporary_and_of_time_do_not_count(self):
        self.sql("ALTER ROLE pb SET statement_timeout = '20ms'; ALTER ROLE pb SET idle_in_transaction_session_timeout = '20ms'")
        self.addCleanup(self.server.sql, "ALTER ROLE pb RESET ALL")
        self.run_json(self.down())
        self.target_is_whole("t")
        self.fails(self.down(uri=self.server.uri + "&options=-c%20statement_timeout%3D1ms", attempts=1), 5, "statement timeout")

    def test_a_server_that_takes_no_more_sessions_or_no_writes(self):
        self.role("few", "ALTER ROLE few CONNECTION LIMIT 0; GRANT ALL ON SCHEMA public TO few")
        few = self.server.uri.replace("pb@", "few@")
        self.fails(self.down(uri=few, attempts=1), 5, "too many connections for role")
        self.role("looker", "ALTER ROLE looker SET default_transaction_read_only = on; GRANT ALL ON SCHEMA public TO looker")
        self.fails(self.down(uri=self.server.uri.replace("pb@", "looker@"), attempts=1), 5, "read-only transaction")

    def test_a_full_disk_at_the_server_keeps_nothing_and_says_so(self):
        self.server.small_tablespace("small")
        self.addCleanup(self.server.remove_small_tablespace, "small")
        self.sql("CREATE TABLE t (id bigint, pad text) TABLESPACE small")
        self.fails(self.down(attempts=1), 5, "No space left on device")
        self.assertEqual(self.column("SELECT count(*) % 3000 FROM t"), ["0"])


if __name__ == "__main__":
    main()
