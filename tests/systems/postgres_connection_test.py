"""Getting into PostgreSQL: TLS, passwords, service files, rights, and what is said when it does not work."""

import socket

from harness import main
from postgres_case import PostgresCase
from postgres_server import PASSWORD, free_port


class ConnectionTest(PostgresCase):
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE a AS SELECT 1 AS id")

    def read(self, uri, options="", attempts=1):
        return self.pipeline(f"name: read\nretry: {{attempts: {attempts}, delay: 10ms}}\nnodes:\n" + self.node(", tables: {a: a}" + options, uri)
                             + "  - use: sqlite\n    with: {path: out.db, write: replace}\n")

    def works(self, uri, **more):
        self.run_json(self.read(uri), **more)
        self.assertEqual(self.rows("SELECT id FROM a"), [(1,)])

    def base(self, host="127.0.0.1", database="postgres", more=""):
        return f"postgresql://pb@{host}:{self.server.port}/{database}?{more}"

    def test_tls_is_verified_as_asked(self):
        root = self.server.folder / "root.crt"
        root.write_bytes((self.server.data / "server.crt").read_bytes())
        other = self.folder / "other.crt"
        other.write_text((self.server.data / "server.crt").read_text()[:100])
        self.works(self.base(more=f"sslmode=verify-full&sslrootcert={root}"))
        self.works(self.base("localhost", more=f"sslmode=verify-full&sslrootcert={root}&channel_binding=require"))
        self.works(f"host=127.0.0.1 port={self.server.port} user=pb dbname=postgres sslmode=verify-ca sslrootcert={root}")
        self.fails(self.read(self.base("127.0.0.2", more=f"sslmode=verify-full&sslrootcert={root}").replace("127.0.0.2", "127.0.0.1") + "&hostaddr=127.0.0.1&host=wrong.example"),
                   4, 'does not match host name "wrong.example"')
        self.fails(self.read(self.base(more=f"sslmode=verify-full&sslrootcert={self.folder}/none.crt")), 4, "none.crt")
        self.fails(self.read(self.base(more=f"sslmode=verify-full&sslrootcert={other}")), 4, "other.crt")
        self.fails(self.read(self.base(more="sslmode=disable")), 4, "no pg_hba.conf entry")
        self.fails(self.read(self.base(more="sslmode=nosuch")), 3, 'invalid sslmode value: "nosuch"')

    def test_passwords_come_from_where_libpq_looks(self):
        plain = self.pipeline("name: read\nnodes:\n  - use: postgres\n    with: {connection: \"" + self.base(more="sslmode=require")
                              + "\", tables: {a: a}}\n  - use: sqlite\n    with: {path: out.db, write: replace}\n", "plain")
        pgpass = self.folder / ".pgpass"
        pgpass.write_text(f"127.0.0.1:{self.server.port}:*:pb:{PASSWORD}\n")
        pgpass.chmod(0o600)
        self.run_json(plain)
        pgpass.unlink()
        self.run_json(plain, env={"PGPASSWORD": PASSWORD})
        self.fails(plain, 4, "no password supplied")
        self.fails(plain, 4, "password authentication failed", env={"PGPASSWORD": "not-it-at-all"})

    def test_service_files(self):
        service = self.folder / "services.conf"
        service.write_text(f"[shop]\nhost=127.0.0.1\nport={self.server.port}\nuser=pb\ndbname=postgres\nsslmode=require\n")
        self.environment["PGSERVICEFILE"] = str(service)
        self.works("service=shop")
        self.environment["PGSERVICE"] = "shop"
        self.works("")
        self.fails(self.read("service=nosuch"), 3, 'definition of service "nosuch" not found')

    def test_secrets_have_no_place_in_the_connection(self):
        for uri in ("postgresql://pb:open-s3cret@127.0.0.1/x", "host=127.0.0.1 password=open-s3cret", "postgresql://127.0.0.1/x?sslpassword=open-s3cret"):
            self.fails(self.read(uri), 3, "connection: holds a password")
        self.fails(self.read("what is this"), 3, "connection: is no PostgreSQL URI")

    def test_a_wrong_password_is_a_matter_of_credentials(self):
        result = self.fails(self.read(self.server.uri), 4, "password authentication failed", env={"PATCHBAY_SECRET_PG": "not-it-at-all"})
        self.assertNotIn("not-it-at-all", result.out + result.err)
        self.assertNotIn("LOCATION", result.out + result.err)
        self.fails(self.read(self.server.uri.replace("pb@", "nobody@")), 4, "authentication failed")

    def test_what_is_not_there(self):
        self.fails(self.read(self.base(database="nowhere", more="sslmode=require")), 7, 'database "nowhere" does not exist')
        self.fails(self.read(f"postgresql://pb@127.0.0.1:{free_port()}/x", attempts=2), 5, "Connection refused")
        self.fails(self.read("postgresql://pb@no.such.host.invalid/x"), 5, "could not translate host name")
        self.fails(self.read(f"postgresql://pb@/x?host={self.folder}"), 5, "No such file or directory")
        self.fails(self.copy(", tables: {a: nosuch}", ", schema: other"), 7, 'relation "public.nosuch" does not exist')

    def test_a_server_that_says_nothing_or_something_else(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            self.fails(self.read(f"postgresql://pb@127.0.0.1:{port}/x?connect_timeout=1"), 5, "did not answer within 1 s")

    def test_the_first_of_several_hosts_that_answers(self):
        self.works(f"postgresql://pb@127.0.0.1:{free_port()},127.0.0.1:{self.server.port}/postgres?sslmode=require&target_session_attrs=read-write")

    def test_rights_that_are_missing_are_named(self):
        uri = self.role("guest", "GRANT USAGE ON SCHEMA public TO guest")
        self.fails(self.read(uri), 4, "permission denied for table a")
        self.sql("GRANT CREATE ON SCHEMA public TO guest")
        self.fails(self.copy(", tables: {a: a}", "", sink_uri=uri), 4, "permission denied for table a")
        self.sql("REVOKE CREATE ON SCHEMA public FROM guest; DROP TABLE _patchbay_epochs")
        self.fails(self.copy(", tables: {a: a}", ", tables: {a: b}", sink_uri=uri), 4, "permission denied for schema public")
        self.fails(self.copy(", tables: {a: a}", ", schema: fresh", sink_uri=uri), 4, "permission denied for database postgres")
        checked = self.patchbay("check", self.copy(", tables: {a: a}", "", sink_uri=uri))
        self.assertEqual(checked.code, 4, checked)
        self.assertIn("grant CREATE", str(checked))
        self.sql("REVOKE USAGE ON SCHEMA public FROM guest")
        self.fails(self.read(uri), 4, "permission denied for schema public")

    def test_the_rights_that_a_sink_needs_are_few(self):
        uri = self.role("writer", "GRANT USAGE ON SCHEMA other TO writer; GRANT SELECT, INSERT, UPDATE, DELETE ON other._patchbay_epochs TO writer; GRANT INSERT ON other.a TO writer"
                        .replace("GRANT SELECT", "CREATE TABLE other._patchbay_epochs (txn text PRIMARY KEY, scope text NOT NULL DEFAULT '', epoch bigint NOT NULL DEFAULT 0, fenced smallint NOT NULL DEFAULT 0); CREATE TABLE other.a (id int); GRANT SELECT", 1))
        self.run_json(self.copy(", tables: {a: a}", ", schema: other", sink_uri=uri))
        self.assertEqual(self.column("SELECT id FROM other.a"), ["1"])

    def test_rows_that_a_role_may_see(self):
        uri = self.role("half", "GRANT USAGE ON SCHEMA public TO half; INSERT INTO a VALUES (2); GRANT SELECT ON a TO half; ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id = 1)")
        self.fails(self.read(uri), 4, "set row_security: apply to read those that it may see")
        self.run_json(self.read(uri, ", row_security: apply"))
        self.assertEqual(self.rows("SELECT id FROM a"), [(1,)])

    def test_a_server_in_another_language_and_encoding(self):
        self.sql("DROP DATABASE IF EXISTS latin; CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        self.addCleanup(self.server.sql, "DROP DATABASE latin WITH (FORCE)")
        uri = self.base(database="latin", more="sslmode=require")
        self.run_json(self.load("id,name\n1,Zoë\n2,€100\n3,Ann\n", top="rejects: {max: 1}", uri=uri))
        self.assertEqual(self.reasons(), ["name: a character that the database's encoding lacks"])
        self.run_json(self.copy(", tables: {t: t}", ", tables: {t: back}", source_uri=uri))
        self.assertEqual(self.column("SELECT name FROM back ORDER BY id"), ["Zoë", "Ann"])

    def test_a_database_of_any_bytes(self):
        self.sql("DROP DATABASE IF EXISTS bytes; CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        self.addCleanup(self.server.sql, "DROP DATABASE bytes WITH (FORCE)")
        self.server.sql("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'Zoë'), (2, E'\\xff\\xfe'), (3, 'Ann')", database="bytes")
        uri = self.base(database="bytes", more="sslmode=require")
        self.run_json(self.copy(", tables: {t: t}", "", "rejects: {max: 1}", source_uri=uri))
        self.assertEqual(self.column("SELECT name FROM t ORDER BY id"), ["Zoë", "Ann"])
        self.assertEqual(self.reasons("copy"), ["name: is no UTF-8; the database keeps text as any bytes"])


if __name__ == "__main__":
    main()
