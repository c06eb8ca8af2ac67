"""PostgreSQL's types: every value arrives as it left, or its row is refused with the reason."""

from harness import main
from postgres_case import PostgresCase

ALL_TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN euros AS numeric(8,3) CHECK (value >= 0);
CREATE DOMAIN moods AS mood[];
CREATE TYPE pair AS (a int, b text);
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TABLE a (
  i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, b boolean, t text, v varchar(5), c char(3),
  n numeric(38,10), m euros, d date, tm time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, y bytea,
  e mood, ai int[], at text[], an numeric(5,2)[], "we ird""name" text, ip inet, iv interval,
  ct citext, hs hstore, p pair, r int4range, mr nummultirange, o oid, ch "char", bits bit(3), vb varbit, x xml, mo money, mac macaddr, cidr cidr,
  ttz timetz, pt point, ts_v tsvector, nm name, ae mood[], dm moods, auu uuid[], atz timestamptz[], aj jsonb[], ab bytea[], abo boolean[], ad date[],
  af float8[], ap pair[], rc regclass);
INSERT INTO a VALUES
  (-32768, 2147483647, -9223372036854775808, 1.5, 0.1, true, E'tab\\there\\nline "q" \\\\ ü', 'abcde', 'x',
   1234567890123456789012345678.0123456789, 0.001, '2024-02-29', '23:59:59.999999', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00',
   '00112233-4455-6677-8899-aabbccddeeff', '{"a": [1, 2.50]}', '{"b": null}', E'\\\\x00ff10', 'ok',
   '{1,NULL,3}', '{"a b",NULL,""}', '{1.25,-3.00}', 'w', '10.1.2.3/8', '1 day 02:00:00',
   'Case', 'a=>1, b=>NULL', '(1,"x,y")', '[1,5)', '{[1,2),[5.5,)}', 4294967295, 'z', B'101', B'1', '<a>&lt;</a>', '-$1,234.56', '08:00:2b:01:02:03', '10.0.0.0/8',
   '12:00:00+02', '(1.5,-2)', 'a:1 b:2', 'nm', '{sad,NULL}', '{ok}', '{00112233-4455-6677-8899-aabbccddeeff}', '{"2024-01-01 00:00:00+00"}', '{"{}",NULL}',
   E'{"\\\\\\\\x00ff"}', '{t,f,NULL}', '{0044-03-15 BC}', '{NaN,-Infinity,1e300}', '{"(1,x)"}', 'pg_class'),
  (0, 0, 0, 'NaN', '-Infinity', false, '', '', '', -0.0000000001, 10000, '4713-01-01 BC', '00:00', '4713-01-01 00:00:00 BC', '1970-01-01 00:00:00.000001+00',
   'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', '[]', '', 'sad', '{}', '{}', '{}', '', '::1', '-1 mon',
   '', '', '(,)', 'empty', '{}', 0, '', B'000', B'', '', '0', '00:00:00:00:00:00', '::/0', '24:00:00-15', '(0,0)', '', '', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '-'),
  (1, 1, 1, -0.0, 2.2250738585072014e-308, true, '\\N', '\\.', '   ', 0, 0, '294276-12-31', '24:00:00', '294246-12-31 23:59:59.999999', '294246-01-01 00:00:00+00',
   '00000000-0000-0000-0000-000000000000', '"\\u0041"', '1e400', E'\\\\x5c5c', 'ok', '{NULL}', '{NULL,"NULL","{",",","\\\\\\""}', '{NULL}', 'x', '10.0.0.1', '178000000 years',
   'ä', '"k k"=>"\\"v"', NULL, '(,)', '{(,)}', 1, 'a', B'111', B'10101', 'text', '$92,233,720,368,547,758.07', 'ff:ff:ff:ff:ff:ff', '10.1.0.0/16', '00:00:00+00', '(1e300,NaN)',
   '''a b'':3', 'x', '{ok,sad}', '{NULL}', '{NULL}', '{"0001-01-01 00:00:00+00"}', '{1}', '{NULL}', '{}', '{294276-12-31}', '{0.1}', '{NULL}', NULL);
INSERT INTO a (i2) VALUES (NULL);
"""
SAME = "SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) FROM (SELECT * FROM {}) x"


class TypesTest(PostgresCase):
    def refused(self, make, reason, options=""):
        """One good row and one that is refused for this reason."""
        self.sql("DROP TABLE IF EXISTS a, other.a; " + make)
        self.patchbay("state", "reset", "copy")
        result = self.run_json(self.copy(", tables: {a: a}" + options, ", schema: other, write: replace", "rejects: {max: 1}")).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (1, 1))
        self.assertIn(reason, self.reasons("copy")[-1] if len(self.reasons("copy")) == 1 else str(self.reasons("copy")))

    def test_every_type_arrives_as_it_left(self):
        self.sql(ALL_TYPES + "CREATE TABLE other.a (LIKE a)")
        pipeline = self.copy(", tables: {a: a}", ", schema: other")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 4)
        self.assertEqual(self.sql(SAME.format("a")), self.sql(SAME.format("other.a")))

    def test_addresses_read_as_the_server_prints_them(self):
        self.sql("CREATE TABLE a (i int, ip inet, net cidr); INSERT INTO a VALUES (1, '10.0.0.1', '10.0.0.0/8'), (2, '::1', NULL), (3, '10.0.0.1/8', NULL)")
        self.run_json(self.copy(", tables: {a: a}", ", tables: {a: made}"))
        self.assertEqual(self.sql("SELECT ip FROM made ORDER BY i"), [["10.0.0.1"], ["::1"], ["10.0.0.1/8"]])

    def test_a_table_that_is_made_holds_every_value(self):
        self.sql(ALL_TYPES + "ALTER TABLE a DROP COLUMN j")
        self.run_json(self.copy(", tables: {a: a}", ", tables: {a: made}"))
        columns = "i8, n::text, m, d, ts, tz, u, jb, y, ai, at, \"we ird\"\"name\", ct, hs, r, x, ae, atz, abo, ad, af"
        self.assertEqual(self.sql(f"SELECT {columns} FROM a ORDER BY i8"), self.sql(f"SELECT {columns} FROM made ORDER BY i8"))
        kinds = dict(self.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'made'"))
        self.assertEqual([kinds[c] for c in ("i4", "n", "tz", "ts", "jb", "ai", "y", "hs")],
                         ["integer", "numeric", "timestamp with time zone", "timestamp without time zone", "json", "ARRAY", "bytea", "text"])

    def test_values_that_no_type_of_the_stream_holds(self):
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES (1.5::numeric), ('NaN')) v (x)", "x: does not fit decimal128 exactly, or is no number")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES (1.5::numeric), ('Infinity')) v (x)", "is no number")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES (1.5::numeric), (1e30)) v (x)", "x: does not fit decimal128 exactly")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES (1.5::numeric), (0.0000000001)) v (x)", "x: does not fit decimal128 exactly")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES ('2024-01-01'::timestamptz), ('infinity')) v (x)", "x: is infinite")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES ('2024-01-01'::timestamp), ('-infinity')) v (x)", "x: is infinite")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES ('2024-01-01'::date), ('infinity')) v (x)", "x: is infinite")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES ('{1}'::int[]), ('{{1,2},{3,4}}')) v (x)", "x: has more than one dimension")
        self.refused("CREATE TABLE a AS SELECT * FROM (VALUES ('{2024-01-01}'::date[]), ('{infinity}')) v (x)", "x: is infinite")

    def test_numerics_of_any_digits_as_text(self):
        self.sql("CREATE TABLE a (x numeric, y numeric(50,20), z numeric(5,2), l numeric[]); CREATE TABLE other.a (LIKE a)")
        self.sql("INSERT INTO a VALUES ('NaN', 1e29, 1.5, '{NaN,1e60}'), (1e-100, 0.00000000000000000001, -1, '{{1},{2}}'), ('-Infinity', NULL, NULL, NULL)")
        self.run_json(self.copy(", tables: {a: a}, numeric: text", ", schema: other"))
        self.assertEqual(self.sql(SAME.format("a")), self.sql(SAME.format("other.a")))

    def test_bounds_of_arrays_start_anew(self):
        self.sql("CREATE TABLE a AS SELECT '[5:7]={1,2,3}'::int[] AS x")
        self.run_json(self.copy(", tables: {a: a}", ", schema: other"))
        self.assertEqual(self.column("SELECT x FROM other.a"), ["{1,2,3}"])

    def test_numerics_that_a_column_would_round_are_refused(self):
        types = "{a: 'decimal128(10, 3)', b: int64, c: 'decimal128(10, 6)'}"
        self.sql("CREATE TABLE t (a numeric(6,2), b numeric(3,-3), c numeric(2,4))")
        text = "a,b,c\n1.500,123000,0.0012\n1.505,1000,0\n12345,1000,0\n1,1500,0\n1,1000000,0\n1,1000,0.00121\n1,1000,0.01\n,,\n"
        self.run_json(self.load(text, top="rejects: {max: 6}", types=types))
        self.assertEqual(self.sql("SELECT * FROM t"), [["1.50", "123000", "0.0012"], [None, None, None]])
        self.assertEqual(self.reasons(), ["a: has more digits after the point than the column", "a: has more digits before the point than the column",
                                          "b: has more digits after the point than the column", "b: has more digits before the point than the column",
                                          "c: has more digits after the point than the column", "c: has more digits before the point than the column"])

    def test_nested_values_become_arrays_or_jsonb(self):
        (self.folder / "t.jsonl").write_text('{"id": 1, "l": [1, 2], "s": {"a": "x\\"y", "b": [true]}, "e": [1.5]}\n{"id": 2, "l": null, "s": {"a": null, "b": []}, "e": []}\n')
        self.run_json(self.pipeline("name: load\nnodes:\n  - use: files\n    with: {path: t.jsonl}\n  - use: json.decode\n" + self.node()))
        self.assertEqual(self.column("SELECT s->>'a' FROM t ORDER BY id"), ['x"y', None])
        self.assertEqual(self.column("SELECT l::text FROM t WHERE id = 1")[0].strip("{}[]").replace(" ", ""), "1,2")


if __name__ == "__main__":
    main()
