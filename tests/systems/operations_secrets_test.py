"""Secrets and personal data: searched for in everything that leaves the program, in every form they may take."""

import base64
import http.server
import json
import pathlib
import threading
import urllib.parse

from harness import main
from operations import OperationsTest, until

SECRET = 'CANARY-"s3cr3t"/+&=%-tail'
PERSON = "PHI-Anna-Müller"
RECORD = {"id": 1, "sequence": 1, "survey_response_id": 1, "text_answer": PERSON, "recipient": {"first_name": PERSON}}


def forms_of(text):
    """As it is, as URLs, JSON and headers write it, and what base64 makes of it wherever it begins."""
    raw = text.encode()
    forms = {text, urllib.parse.quote(text), urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text),
             json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    for lead in range(3):
        forms.add(base64.b64encode(b"\0" * lead + raw).decode()[4:-4])
    return [form.encode() for form in forms]


class EchoServer:
    """Answers each request by `answer`, a function of the text of the request's headers."""

    def __init__(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, body, headers = owner.answer(str(self.headers), self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body.encode())), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


def page(*records):
    return lambda headers, path: (200, json.dumps({"objects": [] if "gt=0" not in path else records}), {})


def echo(status, **headers):
    return lambda seen, path: (status, f"<p>{seen} {path} {PERSON}</p>", headers)


# What the server does, and how that ends.
REFUSALS = [
    ("401 that repeats the request", echo(401), 4),
    ("403 that repeats the request", echo(403), 4),
    ("404 that repeats the request", echo(404), 7),
    ("500 that repeats the request", echo(500), 5),
    ("200 that repeats the request", echo(200), 7),
    ("a type that repeats the key", echo(200, **{"Content-Type": SECRET}), 7),
    ("a request id that repeats the key", echo(500, **{"X-Request-Id": SECRET}), 5),
    ("a redirect that repeats the key", echo(302, Location="http://127.0.0.2:1/?key=" + urllib.parse.quote(SECRET)), 7),
    ("a redirect to a host of the key", echo(302, Location="http://canary-s3cr3t.test/" + PERSON), 7),
    ("cut JSON", lambda headers, path: (200, '{"objects": [{"text_answer": "%s' % PERSON, {}), 7),
    ("a page that is a list", lambda headers, path: (200, json.dumps([PERSON, headers]), {}), 7),
    ("an error in JSON", lambda headers, path: (400, json.dumps({"error": headers + PERSON}), {}), 7),
    ("a wrong type", page({**RECORD, "score": PERSON}), 6),
    ("a wrong time", page({**RECORD, "created": PERSON}), 6),
    ("a wrong date", page({**RECORD, "recipient": {"date_of_birth": PERSON}}), 6),
    ("a sequence that is text", page({**RECORD, "sequence": PERSON}), None),
    ("a record that is text", page(PERSON), None),
    ("a new field with the key", page({**RECORD, "surprise": SECRET}), 9),
    ("a good record", page(RECORD), 0),
]


class SecretsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.server = EchoServer()
        self.addCleanup(self.server.stop)
        self.environment.update(PATCHBAY_SECRET_SID="demo-sid", PATCHBAY_SECRET_KEY=SECRET)

    def assert_clean(self, where, content, *texts):
        for text in texts:
            for form in forms_of(text):
                self.assertNotIn(form, content, where)

    def assert_nothing_left(self, note, *texts):
        """Neither in the state nor in any other file the program made."""
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.name.startswith(("out.db", "reviews.yaml")):
                self.assert_clean(f"{note}: {file.name}", file.read_bytes(), *texts)

    def test_no_answer_of_a_server_brings_them_out(self):
        pipeline = self.reviews("retry: {attempts: 2, delay: 1ms}")
        for note, answer, code in REFUSALS:
            self.server.answer = answer
            for format in ("text", "json"):
                with self.subTest(note, format=format):
                    result = self.patchbay("--log-level", "trace", "--log-format", format, "run", pipeline, "--full-refresh",
                                           "--output", format, "--progress", "log")
                    if code is not None:
                        self.assertEqual(result.code, code, result)
                    self.assert_clean(note, (result.out + result.err).encode(), SECRET, PERSON)
                    self.assert_nothing_left(note, SECRET)
            with self.subTest(note, verb="check"):
                for verb in ("check", "discover", "plan"):
                    result = self.patchbay("--log-level", "trace", verb, pipeline)
                    self.assert_clean(note, (result.out + result.err).encode(), SECRET, PERSON)
        for verb in (["runs", "list"], ["rejects", "list", "reviews"], ["state", "history", "reviews"]):
            for format in ("text", "json"):
                result = self.patchbay(*verb, "--output", format)
                self.assert_clean(verb, (result.out + result.err).encode(), SECRET, PERSON)
        for run in self.patchbay("runs", "list", "--output", "json").json:
            shown = self.patchbay("runs", "show", run["run"])
            self.assert_clean("runs show", shown.out.encode(), SECRET, PERSON)

    def test_personal_data_is_kept_with_rejects_and_nowhere_else(self):
        self.server.answer = page({**RECORD, "score": PERSON})
        self.assertEqual(self.patchbay("run", self.reviews("rejects: {max: 1}")).code, 0)
        self.assertIn(PERSON, self.patchbay("rejects", "export", "reviews").out)
        self.assertIn(PERSON, self.patchbay("rejects", "show", "1").out)
        self.server.answer = page(RECORD)
        self.assertEqual(self.patchbay("rejects", "clear", "reviews").out, "reviews: 1 reject deleted\n")
        self.assertEqual(self.patchbay("run", self.reviews()).code, 0)
        self.assert_nothing_left("no rejects", PERSON, SECRET)

    def test_a_preview_shows_rows_and_no_secret(self):
        self.server.answer = page({**RECORD, "choice": SECRET})
        result = self.patchbay("preview", self.reviews(), "--output", "json")
        self.assertEqual(result.json[0]["rows"][0]["text_answer"], PERSON)
        self.assert_clean("preview", (result.out + result.err).encode(), SECRET)

    def test_ps_does_not_show_them(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        asked = threading.Event()

        def answer(headers, path):
            asked.set()
            hold.wait(20)
            return page()(headers, path)
        self.server.answer = answer
        run = self.start("run", self.reviews())
        until(asked.is_set, "first request")
        for file in pathlib.Path("/proc", str(run.pid)).glob("task/*/comm"):
            self.assert_clean(file, file.read_bytes(), SECRET)
        self.assert_clean("cmdline", pathlib.Path("/proc", str(run.pid), "cmdline").read_bytes(), SECRET)
        hold.set()
        self.assertEqual(run.finish().code, 0)

    def test_a_password_in_a_url_is_not_told(self):
        for answer in (echo(401), echo(404), echo(200), echo(500)):
            self.server.answer = answer
            url = self.server.url.replace("://", "://user:CANARYpassword@")
            result = self.patchbay("--log-level", "trace", "run", self.reviews("retry: {attempts: 1}", url=url),
                                   "--output", "json")
            self.assertNotEqual(result.code, 0)
            self.assertNotIn("CANARY", result.out + result.err)

    def test_secrets_that_are_no_use(self):
        self.server.answer = page()
        pipeline = self.reviews()
        folder = self.folder / "credentials"
        (folder / "folder").mkdir(parents=True)
        (folder / "key").write_text("")
        cases = [({"PATCHBAY_SECRET_KEY": ""}, ["secret key: ", "PATCHBAY_SECRET_KEY", "is empty"]),
                 ({"PATCHBAY_SECRET_KEY": None}, ["secret key: missing; set", "PATCHBAY_SECRET_KEY",
                                                  "the file $CREDENTIALS_DIRECTORY/key"]),
                 ({"PATCHBAY_SECRET_KEY": None, "CREDENTIALS_DIRECTORY": str(folder)}, ["credentials/key is empty"])]
        for changes, words in cases:
            self.environment.update(PATCHBAY_SECRET_KEY=SECRET)
            self.environment.update(changes)
            self.environment = {name: value for name, value in self.environment.items() if value is not None}
            for verb in ("run", "validate", "check"):
                with self.subTest(words[-1], verb=verb):
                    self.assert_fails(self.patchbay(verb, pipeline), 4, *words)
                    self.assertIn(words[0], self.patchbay(verb, pipeline, "--output", "json").out)

    def test_a_secret_from_a_file(self):
        self.server.answer = echo(401)
        del self.environment["PATCHBAY_SECRET_KEY"]
        (self.folder / "credentials").mkdir()
        (self.folder / "credentials/key").write_text(SECRET + "\n")
        self.environment["CREDENTIALS_DIRECTORY"] = str(self.folder / "credentials")
        result = self.patchbay("run", self.reviews())
        self.assertEqual(result.code, 4, result)
        self.assert_clean("run", (result.out + result.err).encode(), SECRET)

    def test_a_literal_is_no_secret(self):
        text = pathlib.Path(self.reviews()).read_text().replace("{secret: key}", json.dumps("CANARY-literal"))
        for verb in ("run", "validate", "check", "plan"):
            result = self.patchbay(verb, self.pipeline(text))
            self.assert_fails(result, 3, "pipeline.yaml:6:", "api_key", "{secret: NAME}")
            self.assertNotIn("CANARY", result.out + result.err)

    def test_a_secret_stands_only_where_it_may(self):
        text = pathlib.Path(self.reviews()).read_text().replace("path: out.db", "path: {secret: key}")
        self.assert_fails(self.patchbay("run", self.pipeline(text)), 3, "pipeline.yaml:8:", "path")


class MisplacedTest(OperationsTest):
    """A password in the place of something else is refused before anything runs, and printed nowhere."""

    URL = "postgresql://bob:CANARY%2Fpass@127.0.0.1:1/db"

    def to_postgres(self, connection, top="", more="", name="pipeline"):
        (self.folder / "r.csv").write_text("a\n1\n")
        return self.pipeline(f"""{top}
nodes:
  - {{use: files, with: {{path: r.csv}}}}
  - use: csv.decode
  - use: postgres
    with:
      connection: {json.dumps(connection)}{more}
""", name)

    def assert_hidden(self, result):
        for form in ("CANARY", "canary", "CANARY%2Fpass", "CANARY/pass"):
            self.assertNotIn(form, result.out + result.err, result)

    def test_in_a_url_or_a_connection(self):
        for connection in (self.URL, "host=127.0.0.1 port=1 password=CANARYpass", "postgresql://127.0.0.1/db?password=CANARYpass",
                           "postgresql://bob:CANARY/pa@ss@127.0.0.1:1/db", "host=h password='CANARY pass'"):
            for verb in ("validate", "run", "plan", "check", "preview"):
                for more in ((), ("--output", "json")):
                    result = self.patchbay(verb, self.to_postgres(connection), *more)
                    self.assertEqual(result.code, 3, result)
                    self.assertRegex(result.out + result.err, r"pipeline\.yaml:7:7: connection: holds a password; take it out and write "
                                     r"password: \{secret: NAME\} \(default: PGPASSWORD, or ~/\.pgpass\)" if not more else "holds a password")
                    self.assert_hidden(result)
        self.assertFalse((self.folder / "state/state.db").exists())

    def test_in_any_option_of_any_plugin(self):
        pipeline = self.reviews(url="http://bob:CANARYpass@127.0.0.1:1")
        result = self.patchbay("validate", pipeline)
        self.assertEqual(result.code, 3, result)
        self.assertIn("base_url: holds a password; take it out: what is secret goes into an option that takes {secret: NAME}, see "
                      "`patchbay plugins show qreviews`", result.out)
        self.assert_hidden(result)

    def test_in_a_variable(self):
        used = self.to_postgres("${db}", top=f"variables: {{db: '{self.URL}', other: 'see {self.URL}'}}")
        for verb in (["validate", used, "--values"], ["run", used], ["run", used, "--set", f"db={self.URL}"]):
            result = self.patchbay(*verb)
            self.assertEqual(result.code, 3, result)
            self.assert_hidden(result)
        unused = self.pipeline(f"variables: {{db: '{self.URL}'}}\nnodes:\n  - {{use: files, with: {{path: r.csv}}}}\n"
                               "  - use: csv.decode\n  - {use: sqlite, with: {path: o.db}}\n", "unused")
        for verb in (["validate", unused, "--values"], ["plan", unused, "--values"]):
            for more in ((), ("--output", "json")):
                result = self.patchbay(*verb, *more)
                self.assertEqual(result.code, 0, result)
                self.assertIn("postgresql://bob:***@127.0.0.1:1/db", result.out)
                self.assert_hidden(result)

    def test_in_an_environment(self):
        root = self.folder / "etc/environments/prod"
        root.mkdir(parents=True)
        (root / "environment.yaml").write_text(json.dumps({"variables": {"db": self.URL}}))
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        for plugin in ("files", "csv", "postgres"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)
        for verb in (["--env", "prod", "validate"], ["--env", "all", "validate"], ["--env", "prod", "run"]):
            result = self.patchbay(*verb, self.to_postgres("${db}"), *(["--values"] if verb[-1] == "validate" else []))
            self.assertEqual(result.code, 3, result)
            self.assert_hidden(result)

    def test_in_the_address_of_a_copy(self):
        (self.folder / "r.csv").write_text("a\n1\n")
        for more in ((), ("--print",), ("--output", "json"), ("one", "argument"), ("--nonsense",), ("--from-format", self.URL)):
            for places in ([self.URL + "?table=t", "x.csv"], ["r.csv", self.URL + "?table=t"], ["r.csv", self.URL.replace("postgresql", "nosuch")],
                           [self.URL.replace("postgresql", "gs"), "x.db"]):
                result = self.patchbay("copy", *places, *more)
                self.assertIn(result.code, (2, 3), result)
                self.assert_hidden(result)
        result = self.patchbay("copy", "r.csv", self.URL + "?table=t")
        self.assertEqual((result.code, result.err), (3, "patchbay: copy: the address of to holds a password; take it out, put it into "
                         "PATCHBAY_SECRET_<NAME> and add --set to.password=<NAME> (default: PGPASSWORD, or ~/.pgpass)\n"))
        for words in ([self.URL], ["run", self.URL], ["run", "a.yaml", self.URL], ["state", "show", self.URL], ["--env", self.URL, "runs", "list"]):
            result = self.patchbay(*words)
            self.assertNotEqual(result.code, 70, result)
            if words[0] != "state":
                self.assertNotEqual(result.code, 0, result)
            self.assert_hidden(result)

    def test_where_a_copy_takes_the_name_of_a_secret(self):
        (self.folder / "r.csv").write_text("a\n1\n")
        place = "postgresql://app@127.0.0.1:1/db?table=t"
        for given in ("CANARYpass", "CANARY pass!", "{secret: CANARYpass}"):
            for words in ([place, "--set", f"to.password={given}"], [f"{place}&password={given}"], [f"{place}&password=secret:{given}"]):
                for more in ((), ("--print",), ("--output", "json")):
                    result = self.patchbay("copy", "r.csv", *words, *more)
                    self.assertEqual(result.code, 4, result)
                    self.assertIn("to.password takes the name of a secret, not the secret itself; secret <NAME>: ", result.out + result.err)
                    self.assert_hidden(result)
        result = self.patchbay("copy", "r.csv", place, "--set", "to.password=CANARYpass")
        self.assertIn("missing; set the environment variable PATCHBAY_SECRET_<NAME> or the file $CREDENTIALS_DIRECTORY/<NAME>", result.err)
        named = self.patchbay("copy", "r.csv", place, "--set", "to.password=pg", "--print", env={"PATCHBAY_SECRET_PG": "s3cret"})
        self.assertEqual(named.code, 0, named)
        self.assertIn('"password":{"secret":"pg"}', named.out)

    def test_where_a_pipeline_takes_the_name_of_a_secret(self):
        written = self.to_postgres("host=127.0.0.1 port=1", more="\n      password: {secret: db_password}")
        self.assert_fails(self.patchbay("validate", written), 4, "secret db_password: missing; set the environment variable PATCHBAY_SECRET_DB_PASSWORD")
        odd = self.to_postgres("host=127.0.0.1 port=1", more="\n      password: {secret: 'CANARY pass'}", name="odd")
        given = self.to_postgres("host=127.0.0.1 port=1", "variables: {pw: db_password}", "\n      password: {secret: '${pw}'}", "given")
        self.assert_fails(self.patchbay("validate", given), 4, "secret db_password: missing")
        for words in (["validate", odd], ["run", odd], ["validate", given, "--set", "pw=CANARYpass"], ["run", given, "--set", "pw=CANARYpass"],
                      ["validate", given, "--set", "pw=CANARYpass", "--values"], ["validate", given, "--set", "pw=CANARYpass", "--output", "json"]):
            result = self.patchbay(*words)
            self.assertEqual(result.code, 4, result)
            self.assertIn("password takes the name of a secret, not the secret itself; secret <NAME>: ", result.out + result.err)
            self.assert_hidden(result)
        self.assert_fails(self.patchbay("validate", given, "--set", "pw=db_password"), 4, "secret db_password: missing")

    def test_where_a_command_looks_for_it(self):
        root = self.folder / "etc/environments/prod"
        root.mkdir(parents=True)
        (root / "environment.yaml").write_text('secrets: [{files: %s}, {command: [/bin/false, "{name}"]}]' % self.folder)
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        for plugin in ("files", "csv", "postgres"):
            self.assertEqual(self.patchbay("--env", "prod", "plugins", "enable", plugin).code, 0)
        given = self.to_postgres("host=127.0.0.1 port=1", top="variables: {pw: x}", more="\n      password: {secret: '${pw}'}")
        (self.folder / "CANARYfolder").mkdir()
        for name, words in (("CANARYpass", "secret <NAME>: the command /bin/false ended with exit code 1"),
                            ("CANARYfolder", "/<NAME>: is not a regular file")):
            result = self.patchbay("--env", "prod", "validate", given, "--set", f"pw={name}")
            self.assertIn(words, result.out + result.err)
            self.assert_hidden(result)


if __name__ == "__main__":
    main()
