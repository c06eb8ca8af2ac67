"""What the fault tests share: PostgreSQL behind a proxy, a table to read and rows to write."""

import subprocess
import time

from harness import BUILD, Proxy
from postgres_case import PostgresCase
from postgres_server import PASSWORD

ROWS = 9000


class BehindProxy(PostgresCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.allow_plain()
        cls.proxy = Proxy(cls.server.folder, cls.server.port)
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        super().setUp()
        self.proxy.reset()
        self.proxy.listen()
        self.sql(f"CREATE TABLE a AS SELECT g AS id, repeat(md5(g::text), 3) AS pad FROM generate_series(1, {ROWS}) g; ALTER TABLE a ADD PRIMARY KEY (id)")

    def through(self, tls=False):
        return f"postgresql://pb@127.0.0.1:{self.proxy.port}/postgres?sslmode={'require' if tls else 'disable'}"

    def down(self, **more):
        """From a file into t, behind the proxy, in several epochs."""
        rows = "".join(f"{i},{'x' * 40}\n" for i in range(1, ROWS + 1))
        return self.load("id,pad\n" + rows, top="commit: {rows: 3000}", **more)

    def target_is_whole(self, table):
        self.assertEqual(self.sql(f"SELECT count(*), count(DISTINCT id), sum(id) FROM {table}"), [[str(ROWS), str(ROWS), str(ROWS * (ROWS + 1) // 2)]])

    def start(self, pipeline):
        return subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline, "--progress", "none"],
                                cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def session(self, text):
        """A psql that has done this and waits for more."""
        psql = subprocess.Popen([str(self.server.bin / "psql"), "-Xq", self.server.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, env={"PGPASSWORD": PASSWORD, "PATH": "/usr/bin"})
        psql.stdin.write(text + ";\n\\echo ready\n")
        psql.stdin.flush()
        self.assertEqual(psql.stdout.readline(), "ready\n")
        return psql

    def wait_until(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline)
