"""What the PostgreSQL tests share: one server per file, an empty schema and a folder per test."""

from harness import SystemTest
from postgres_server import PASSWORD, Postgres


class PostgresCase(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.remove)

    def setUp(self):
        super().setUp()
        self.server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other")
        self.environment["PATCHBAY_SECRET_PG"] = PASSWORD

    def sql(self, text):
        return self.server.sql(text)

    def column(self, text):
        return [row[0] for row in self.sql(text)]

    def role(self, name, rights=""):
        """A role with the usual password and nothing but these rights."""
        self.sql(f"""DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN DROP OWNED BY {name}; DROP ROLE {name}; END IF; END $$;
                     CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; {rights}""")
        return self.server.uri.replace("pb@", f"{name}@")

    def node(self, options="", uri=None):
        return f"""  - use: postgres
    with: {{connection: "{uri or self.server.uri}", password: {{secret: pg}}{options}}}
"""

    def copy(self, source, sink, top="", name="copy", source_uri=None, sink_uri=None):
        """From table to table."""
        return self.pipeline(f"name: {name}\n{top}\nretry: {{attempts: 4, delay: 10ms}}\nnodes:\n"
                             + self.node(source, source_uri).replace("- use", "- id: from\n    use") + self.node(sink, sink_uri), name)

    def load(self, text, options="", top="", types="", uri=None, attempts=4):
        """From CSV text into the table t."""
        (self.folder / "t.csv").write_text(text)
        types = f"    with: {{types: {types}}}\n" if types else ""
        return self.pipeline(f"name: load\n{top}\nretry: {{attempts: {attempts}, delay: 10ms}}\nnodes:\n"
                             f"  - use: files\n    with: {{path: t.csv}}\n  - use: csv.decode\n{types}" + self.node(options, uri))

    def reasons(self, name="load"):
        return sorted(r["reason"] for r in self.patchbay("rejects", "list", name, "--output", "json").json)

    def fails(self, pipeline, code, message, env=None):
        """The run ends with this code and says this; nobody's values are in what it says."""
        result = self.run_json(pipeline, code=code, env=env)
        said = result.out.replace('\\"', '"') + result.err
        self.assertIn(message, said)
        self.assertNotIn("s3cret", said)
        return result
