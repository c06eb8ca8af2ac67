"""patchbay's own SQL in sessions that others have furnished: names of theirs, settings, standbys, what the password is given to."""

import socket
import threading

from harness import main
from postgres_case import PostgresCase
from postgres_server import Postgres


class OwnNamesTest(PostgresCase):
    def setUp(self):
        super().setUp()
        self.role("mallory", "GRANT CREATE, USAGE ON SCHEMA public TO mallory")
        self.sql("CREATE TABLE t (id int PRIMARY KEY, v text); GRANT SELECT ON t TO mallory")

    def plant(self, signature, returns, body="RETURN"):
        self.server.sql(f"""CREATE FUNCTION public.{signature} RETURNS {returns} LANGUAGE plpgsql AS $$
                            BEGIN IF current_user <> 'mallory' THEN ALTER ROLE mallory SUPERUSER; END IF; {body}; END $$""", user="mallory")

    def test_functions_of_others_that_match_better_are_not_run(self):
        self.plant("format(a text, b regclass, c text)", "text", "RETURN 'SELECT 1'")
        self.plant("unnest(a text[])", "SETOF text")
        self.plant("unnest(a int2vector)", "SETOF int2")
        self.plant("max(a bigint)", "bigint", "RETURN 0")
        for verb, pipeline in (("run", self.load("id,v\n1,x\n", ", write: replace")), ("run", self.load("id,v\n1,x\n", ", write: upsert, keys: [id]")),
                               ("discover", self.copy(", tables: {t: t}", ", schema: other")), ("check", self.copy(", tables: {t: t}", ", schema: other"))):
            self.assertEqual(self.patchbay(verb, pipeline).code, 0)
            self.assertEqual(self.column("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'"), ["f"], verb)

    def test_operators_of_a_columns_own_type_are_found(self):
        self.sql("CREATE EXTENSION citext; CREATE TABLE k (name citext, v text); INSERT INTO k VALUES ('Ann', 'old'); CREATE TABLE c (name citext)")
        (self.folder / "k.csv").write_text("name,v\nANN,new\n")
        self.run_json(self.load("name,v\nANN,new\n", ", write: upsert, keys: [name], tables: {t: k}"))
        self.assertEqual(self.column("SELECT v FROM k"), ["new"])

    def test_the_users_query_and_triggers_find_the_users_path(self):
        self.sql("""CREATE TABLE other.things (id int); INSERT INTO other.things VALUES (7); CREATE TABLE other.log (id int); CREATE TABLE other.t (id int);
                    CREATE FUNCTION other.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END';
                    CREATE TRIGGER note AFTER INSERT ON other.t FOR EACH ROW EXECUTE FUNCTION other.note()""")
        uri = self.server.uri + "&options=-csearch_path%3Dother"
        self.run_json(self.copy(", query: SELECT id FROM things", ", schema: other, tables: {query: t}", source_uri=uri, sink_uri=uri))
        self.assertEqual(self.column("SELECT id FROM other.log"), ["7"])


class SettingsTest(PostgresCase):
    def test_texts_have_one_form_whatever_the_session_says(self):
        self.sql("CREATE TABLE a AS SELECT interval '1 day 2 hours' AS iv, '2024-02-01'::timestamptz AS at; CREATE TABLE other.a (iv text, at text)")
        self.sql("ALTER ROLE pb SET intervalstyle = 'postgres'; ALTER ROLE pb SET datestyle = 'SQL, DMY'; ALTER ROLE pb SET timezone = 'Asia/Tokyo'")
        self.addCleanup(self.server.sql, "ALTER ROLE pb RESET ALL")
        self.run_json(self.copy(', query: "SELECT iv, at::text AS at FROM a"', ", schema: other, tables: {query: a}"))
        self.assertEqual(self.sql("SELECT * FROM other.a")[0][0], "P1DT2H")

    def test_nothing_is_left_set_in_a_session(self):
        self.sql("CREATE TABLE a AS SELECT 1 AS id")
        log = self.server.folder / "log"
        before = len(log.read_text(errors="replace"))
        uri = self.server.uri + "&options=-clog_statement%3Dall"
        self.run_json(self.copy(", tables: {a: a}", ", schema: other", source_uri=uri, sink_uri=uri))
        for line in log.read_text(errors="replace")[before:].splitlines():
            for statement in line.partition("statement: ")[2].split(";"):
                self.assertFalse(statement.strip().startswith("SET ") and not statement.strip().startswith(("SET LOCAL", "SET CONSTRAINTS", "SET TRANSACTION")), line)

    def test_a_standby_is_read_and_takes_no_rows(self):
        standby = Postgres()
        self.addCleanup(standby.remove)
        standby.sql("CREATE TABLE a AS SELECT 1 AS id")
        standby.stop("fast")
        (standby.data / "standby.signal").touch()
        standby.start()
        self.fails(self.load("id\n1\n", uri=standby.uri), 3, "the server is a standby")
        self.run_json(self.copy(", tables: {a: a}", ", schema: other", source_uri=standby.uri))
        self.run_json(self.copy(", tables: {a: a}, cursor: id", ", schema: other, tables: {a: b}", name="more", source_uri=standby.uri))


class NamesTest(PostgresCase):
    def test_a_table_of_another_schema_is_copied_from_there(self):
        self.sql("CREATE SCHEMA src; CREATE TABLE src.b AS SELECT g AS id FROM generate_series(1, 10) g; CREATE TABLE b (id int)")
        self.addCleanup(self.sql, "DROP SCHEMA src CASCADE")
        uri = self.server.uri
        passwords = ("--set", "from.password=PG", "--set", "to.password=PG")
        copied = self.patchbay("copy", uri + "&table=src.b", uri + "&schema=other", *passwords)
        self.assertEqual(copied.code, 0, copied)
        self.assertEqual(self.sql("SELECT (SELECT count(*) FROM src.b), (SELECT count(*) FROM other.b)"), [["10", "10"]])

    def test_names_that_the_server_would_cut_are_refused(self):
        long = "x" * 64
        self.fails(self.load(f"id,{long}\n1,7\n"), 3, "is longer than the 63 bytes that PostgreSQL allows for a name")
        self.fails(self.load("id\n1\n", f", tables: {{t: {long}}}"), 3, "is longer than the 63 bytes")
        self.fails(self.load("id\n1\n", f", schema: {long}"), 3, "is longer than the 63 bytes")
        self.run_json(self.load(f"id,{long[:63]}\n1,7\n"))
        self.assertEqual(self.column(f"SELECT {long[:63]} FROM t"), ["7"])

    def test_a_streams_own_name_is_one_name(self):
        self.sql("CREATE SCHEMA src; CREATE TABLE src.b AS SELECT g AS id FROM generate_series(1, 10) g")
        self.addCleanup(self.sql, "DROP SCHEMA src CASCADE")
        self.run_json(self.copy(", tables: {src.b: src.b}", ", schema: other"))
        self.assertEqual(self.sql('SELECT (SELECT count(*) FROM src.b), (SELECT count(*) FROM other."src.b")'), [["10", "10"]])

    def test_what_is_not_a_table_is_named(self):
        self.sql("CREATE SEQUENCE t")
        self.fails(self.load("id\n1\n"), 3, "t is a sequence, not a table")
        self.sql("DROP SEQUENCE t; CREATE TABLE b (id int); CREATE INDEX t ON b (id)")
        self.fails(self.load("id\n1\n"), 3, "t is an index, not a table")


class PlainTest(PostgresCase):
    """A server that offers no TLS and asks for the password."""

    def setUp(self):
        super().setUp()
        self.got = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.socket.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                while True:
                    size = int.from_bytes(client.recv(4), "big")
                    if client.recv(size - 4)[:4] not in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):
                        break
                    client.sendall(b"N")
                client.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
                self.got.append(client.recv(200))
            except (OSError, ValueError):
                pass
            client.close()

    def read(self, connection, more=""):
        return self.pipeline("name: read\nretry: {attempts: 1}\nnodes:\n" + self.node(", tables: {a: a}" + more, connection) + "  - use: sqlite\n    with: {path: out.db}\n")

    def test_a_password_is_for_the_server_that_proves_who_it_is(self):
        remote = f"host=db.example.org hostaddr=127.0.0.1 port={self.socket.getsockname()[1]} user=x dbname=x"
        self.fails(self.read(remote), 4, "allow_plain: true")
        self.assertEqual(self.got, [])
        for connection, more in ((remote, ", allow_plain: true"), (remote + " sslmode=disable", ""), (remote.replace("host=db.example.org ", ""), "")):
            self.patchbay("run", self.read(connection, more))
            self.assertTrue(any(b"pg-s3cret" in text for text in self.got), (connection, more))
            self.got.clear()


if __name__ == "__main__":
    main()
