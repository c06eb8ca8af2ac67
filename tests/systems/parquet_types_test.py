"""Parquet and its types with pyarrow and DuckDB as the other party: they read what patchbay writes, and write what it reads."""

import datetime
import decimal
import json
import random
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from harness import main
from parquet_case import ParquetCase

D = decimal.Decimal
UTC = datetime.timezone.utc
STAMP = datetime.datetime(2026, 1, 31, 23, 59, 59, 123456)
POINT = pa.struct([("x", pa.int32()), ("label", pa.string())])

# Every type of a stream, with values and nulls at each level.
EVERY = [
    ("bool", pa.bool_(), [True, False, None]),
    ("int8", pa.int8(), [-128, 127, None]),
    ("int16", pa.int16(), [-32768, 32767, None]),
    ("int32", pa.int32(), [-2**31, 2**31 - 1, None]),
    ("int64", pa.int64(), [-2**63, 2**63 - 1, None]),
    ("uint8", pa.uint8(), [0, 255, None]),
    ("uint16", pa.uint16(), [0, 65535, None]),
    ("uint32", pa.uint32(), [0, 2**32 - 1, None]),
    ("uint64", pa.uint64(), [0, 2**64 - 1, None]),
    ("float32", pa.float32(), [1.5, float("inf"), None]),
    ("float64", pa.float64(), [0.1, -0.0, None]),
    ("small", pa.decimal128(5, 2), [D("-999.99"), D("0.01"), None]),
    ("middle", pa.decimal128(18, 4), [D("99999999999999.9999"), D("-0.0001"), None]),
    ("large", pa.decimal128(38, 9), [D("-12345678901234567890123456789.123456789"), D("0E-9"), None]),
    ("utf8", pa.string(), ["", "Zoë \U0001f642\0", None]),
    ("binary", pa.binary(), [b"", b"\xff\x00\xfe", None]),
    ("date", pa.date32(), [datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None]),
    ("time", pa.time64("us"), [datetime.time(0), datetime.time(23, 59, 59, 999999), None]),
    ("stamp", pa.timestamp("us"), [STAMP, datetime.datetime(1, 1, 1), None]),
    ("utc", pa.timestamp("us", "UTC"), [STAMP.replace(tzinfo=UTC), datetime.datetime(1960, 1, 1, tzinfo=UTC), None]),
    ("zoned", pa.timestamp("us", "Europe/Berlin"), [STAMP.replace(tzinfo=UTC), None, None]),
    ("list", pa.list_(pa.int64()), [[1, None, 3], [], None]),
    ("struct", POINT, [{"x": 1, "label": None}, {"x": None, "label": "b"}, None]),
    ("lists", pa.list_(pa.list_(pa.string())), [[["a", None], None, []], [], None]),
    ("structs", pa.list_(POINT), [[{"x": 1, "label": "a"}, None], [], None]),
    ("deep", pa.struct([("tags", pa.list_(pa.string())), ("inner", pa.struct([("at", pa.timestamp("us", "UTC"))]))]),
     [{"tags": ["t"], "inner": {"at": STAMP.replace(tzinfo=UTC)}}, {"tags": None, "inner": None}, None]),
]


def every_table():
    return pa.table({name: pa.array(values, type) for name, type, values in EVERY})


def random_type(rng, depth=0):
    scalars = [pa.bool_(), pa.int8(), pa.uint64(), pa.int64(), pa.float64(), pa.string(), pa.binary(), pa.date32(),
               pa.decimal128(20, 3), pa.timestamp("us", "UTC"), pa.time64("us")]
    kind = rng.random()
    if depth > 2 or kind < 0.5:
        return rng.choice(scalars)
    if kind < 0.75:
        return pa.list_(pa.field("item", random_type(rng, depth + 1), nullable=rng.random() < 0.7))
    return pa.struct([pa.field(f"f{i}", random_type(rng, depth + 1), nullable=rng.random() < 0.7)
                      for i in range(rng.randint(1, 3))])


def random_value(rng, type, nullable=True):
    if nullable and rng.random() < 0.2:
        return None
    if pa.types.is_list(type):
        return [random_value(rng, type.value_type, type.value_field.nullable) for _ in range(rng.choice([0, 1, 3]))]
    if pa.types.is_struct(type):
        return {field.name: random_value(rng, field.type, field.nullable) for field in type}
    number = rng.getrandbits(40)
    return {
        pa.bool_(): bool(number & 1), pa.int8(): number % 256 - 128, pa.uint64(): number << 24, pa.int64(): -number,
        pa.float64(): number / 7, pa.string(): "é" * (number % 9), pa.binary(): bytes([255]) * (number % 5),
        pa.date32(): datetime.date(1970, 1, 1) + datetime.timedelta(number % 20000), pa.decimal128(20, 3): D(number).scaleb(-3),
        pa.timestamp("us", "UTC"): STAMP.replace(tzinfo=UTC) + datetime.timedelta(microseconds=number),
        pa.time64("us"): datetime.time(number % 24, number % 60, 0, number % 10**6),
    }[type]


class ParquetTypesTest(ParquetCase):
    def test_every_type_comes_through(self):
        self.assertEqual(self.through(every_table()), every_table())

    def test_duckdb_reads_what_we_write_and_we_read_what_it_writes(self):
        self.through(every_table())
        theirs = duckdb.connect()
        theirs.execute("SET TimeZone = 'UTC'")
        query = f"SELECT * FROM '{self.written()}'"
        # In its own types; a zone's name it has not.
        rows = [tuple(row.values()) for row in every_table().to_pylist()]
        columns = [name for name, _, _ in EVERY]
        zoned = columns.index("zoned")
        for found, row in zip(theirs.execute(query).fetchall(), rows, strict=True):
            self.assertEqual(found[:zoned] + found[zoned + 1:], row[:zoned] + row[zoned + 1:])
        theirs.execute(f"COPY ({query}) TO '{self.folder}/in/a.parquet' (FORMAT parquet)")
        self.run_json(self.pipe())
        again = pq.read_table(self.written())
        self.assertEqual(again.drop(["zoned"]).to_pylist(), every_table().drop(["zoned"]).to_pylist())

    def test_duckdbs_own_types(self):
        (self.folder / "in").mkdir()
        duckdb.execute(f"""COPY (SELECT 'b'::ENUM('a', 'b') e, uuid '6fa459ea-ee8a-3ca4-894e-db77e160355e' u,
            timestamp_s '2026-01-01 00:00:01' s, timestamp_ms '2026-01-01 00:00:00.5' ms, timestamp_ns '2026-01-01 00:00:00.000001' ns,
            MAP {{'k': 1, 'l': NULL}} m, '{{"a":1}}'::JSON j) TO '{self.folder}/in/a.parquet' (FORMAT parquet)""")
        self.run_json(self.pipe())
        row = pq.read_table(self.written()).to_pylist()[0]
        stamp = datetime.datetime(2026, 1, 1)
        self.assertEqual(row, {
            "e": "b", "u": "6fa459ea-ee8a-3ca4-894e-db77e160355e", "s": stamp.replace(second=1), "ms": stamp.replace(microsecond=500000),
            "ns": stamp.replace(microsecond=1), "m": [{"key": "k", "value": 1}, {"key": "l", "value": None}], "j": '{"a":1}'})

    def test_random_nested_data(self):
        for seed in range(6):
            with self.subTest(seed=seed):
                rng = random.Random(seed)
                types = [random_type(rng) for _ in range(6)]
                table = pa.table({f"c{i}": pa.array([random_value(rng, type) for _ in range(700)], type)
                                  for i, type in enumerate(types)})
                self.assertEqual(self.through(table, row_group_size=rng.choice([100, 700]), data_page_size=512), table)

    def test_an_sql_engine_gives_every_type_as_it_came(self):
        query = '\n  - {use: sql, with: {query: "SELECT * FROM decode", stream: t}}'
        rng = random.Random(7)
        types = [random_type(rng) for _ in range(8)]
        many = pa.table({f"c{i}": pa.array([random_value(rng, type) for _ in range(3000)], type) for i, type in enumerate(types)})
        for table in (every_table(), many):
            self.put(table, row_group_size=1000)
            self.run_json(self.pipe(middle=query))
            found = pq.read_table(self.written())
            self.assertEqual(found.to_pylist(), table.to_pylist())  # the moments of all zones are kept, their names are UTC
            self.assertEqual([field.type for field in found.schema if field.name != "zoned"],
                             [field.type for field in table.schema if field.name != "zoned"])

    def test_other_types_are_converted_where_that_is_exact(self):
        stamp = datetime.datetime(2026, 1, 2, 3, 4, 5)
        u = uuid.UUID(int=2**100 + 7)
        table = pa.table({
            "dictionary": pa.array(["a", None, "a"]).dictionary_encode(),
            "large": pa.array(["a", None, ""], pa.large_string()),
            "view": pa.array(["a", None, "b" * 40], pa.string_view()),
            "large_list": pa.array([[1, None], [], None], pa.large_list(pa.int32())),
            "fixed_list": pa.array([[1, 2], [3, None], None], pa.list_(pa.int32(), 2)),
            "fixed": pa.array([b"abc", None, b"\0\0\0"], pa.binary(3)),
            "date64": pa.array([datetime.date(2026, 1, 2), None, None], pa.date64()),
            "time32": pa.array([datetime.time(1, 2, 3), None, None], pa.time32("s")),
            "time_ns": pa.array([1_000, None, 86_399_999_999_000], pa.time64("ns")),
            "s": pa.array([stamp, None, None], pa.timestamp("s")),
            "ms": pa.array([stamp, None, None], pa.timestamp("ms", "UTC")),
            "ns": pa.array([stamp, None, None], pa.timestamp("ns")),
            "offset": pa.array([stamp, None, None], pa.timestamp("us", "+02:00")),
            "half": pa.array([1.5, None, -2.0], pa.float16()),
            "nothing": pa.nulls(3),
            "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
            "decimal256": pa.array([D("1.50"), None, D("-2.25")], pa.decimal256(60, 2)),
            "uuid": pa.array([u.bytes, None, u.bytes], pa.uuid()),
            "uuids": pa.ListArray.from_arrays(pa.array([0, None, 1, 1], pa.int32()), pa.array([u.bytes], pa.uuid())),
            "json": pa.array(['{"a": 1}', None, "[]"], pa.json_()),
            "ns_list": pa.array([[stamp], None, []], pa.list_(pa.timestamp("ns", "UTC"))),
        })
        out = self.through(table)
        self.assertEqual({field.name: str(field.type) for field in out.schema}, {
            "dictionary": "string", "large": "string", "view": "string", "large_list": "list<element: int32>",
            "fixed_list": "list<element: int32>", "fixed": "binary", "date64": "date32[day]", "time32": "time64[us]", "time_ns": "time64[us]",
            "s": "timestamp[us]", "ms": "timestamp[us, tz=UTC]", "ns": "timestamp[us]", "offset": "timestamp[us, tz=UTC]",
            "half": "float", "nothing": "string", "map": "list<element: struct<key: string not null, value: int64> not null>",
            "decimal256": "decimal128(38, 2)", "uuid": "string", "uuids": "list<element: string>", "json": "extension<arrow.json>",
            "ns_list": "list<element: timestamp[us, tz=UTC]>"})
        for name in ("dictionary", "large", "view", "large_list", "fixed_list", "fixed", "time32", "s", "ms", "ns", "half", "decimal256", "json"):
            self.assertEqual(out[name].to_pylist(), table[name].to_pylist(), name)
        self.assertEqual(out["date64"].to_pylist()[0], datetime.date(2026, 1, 2))
        self.assertEqual(out["uuid"].to_pylist(), [str(u), None, str(u)])
        self.assertEqual(out["map"].to_pylist(), [[{"key": "a", "value": 1}], [], None])
        self.assertEqual(out["uuids"].to_pylist(), [[str(u)], None, []])
        self.assertEqual([t.isoformat() if t else None for t in out["time_ns"].to_pylist()], ["00:00:00.000001", None, "23:59:59.999999"])

    def test_a_column_without_a_counterpart_is_named_and_can_be_left_out(self):
        self.put(pa.table({"id": [1], "wait": pa.array([5], pa.duration("s")), "b": ["x"]}))
        self.fails(7, "a.parquet: column wait: type duration[s]", "leave it out with columns")
        self.run_json(self.pipe("columns: [b, id]"))
        self.assertEqual(pq.read_table(self.written()).to_pylist(), [{"b": "x", "id": 1}])
        self.written().unlink()
        self.fails(3, "columns: ", "a.parquet has no column idd", decode="columns: [idd]")

    def test_values_without_a_counterpart_are_refused_with_their_row(self):
        stamps = pa.array([1_000, 1_001, None, 7_000, 9_999], pa.timestamp("ns", "UTC"))
        text = pa.array([b"a", b"b", b"\xff", b"\xc3\xa9", b"d"])
        wide = pa.array([D(1), D(10**50), None, D(2), D(3)], pa.decimal256(60, 0))
        table = pa.table({"id": range(5), "at": stamps, "text": pa.Array.from_buffers(pa.string(), 5, text.buffers()),
                          "wide": wide, "nested": pa.StructArray.from_arrays([stamps], ["at"])})
        self.put(table)
        result = self.run_json(self.pipe(rejects=3)).stream
        self.assertEqual((result["rows_read"], result["rows_written"], result["rows_rejected"]), (5, 2, 3))
        self.assertEqual(pq.read_table(self.written())["id"].to_pylist(), [0, 3])
        self.assertEqual(sorted(self.rejects()), [
            (2, "at: timestamp[ns, tz=UTC] that is no timestamp[us, UTC]; nanoseconds: truncate cuts them off"),
            (3, "text: text that is no UTF-8"),
            (5, "at: timestamp[ns, tz=UTC] that is no timestamp[us, UTC]; nanoseconds: truncate cuts them off")])
        lines = self.patchbay("rejects", "export", "pipe").out.splitlines()
        rows = {json.loads(line)["position"]["row"]: json.loads(line)["row"] for line in lines}
        self.assertEqual((rows[2]["id"], rows[2]["wide"]), (1, str(10**50)))
        self.assertIn("00:00:00.000001001", rows[2]["at"])
        self.assertEqual(rows[3]["text"], "/w==")
        self.run_json(self.pipe("nanoseconds: truncate", rejects=2))
        self.assertEqual([stamp.microsecond for stamp in pq.read_table(self.written())["at"].to_pylist()], [1, 7, 9])
        self.written().unlink()
        self.fails(6, "at: timestamp[ns")

    def test_int96_as_spark_writes_it(self):
        stamps = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), None, STAMP]
        self.put(pa.table({"at": pa.array(stamps, pa.timestamp("us")), "many": pa.array([[STAMP, None], None, [], [STAMP]], pa.list_(pa.timestamp("us")))}),
                 use_deprecated_int96_timestamps=True, store_schema=False)
        self.run_json(self.pipe())
        out = pq.read_table(self.written())
        self.assertEqual((out.schema.field("at").type, out["at"].to_pylist()), (pa.timestamp("us"), stamps))
        self.assertEqual(out["many"].to_pylist(), [[STAMP, None], None, [], [STAMP]])
        self.written().unlink()
        self.put(pa.table({"at": pa.array([0, None, 1_001], pa.timestamp("ns"))}), use_deprecated_int96_timestamps=True, store_schema=False)
        self.fails(7, "a.parquet: column at, row 3: a timestamp (INT96) with nanoseconds")
        self.run_json(self.pipe("nanoseconds: truncate"))
        self.assertEqual(pq.read_table(self.written())["at"].to_pylist()[2], datetime.datetime(1970, 1, 1, 0, 0, 0, 1))

    def test_all_that_others_write_pages_with(self):
        table = pa.table({"id": range(5000), "word": [f"w{i % 50}" if i % 7 else None for i in range(5000)], "x": [i / 3 for i in range(5000)]})
        for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
            for version in ("1.0", "2.0"):
                with self.subTest(codec=codec, version=version):
                    self.assertEqual(self.through(table, compression=codec, data_page_version=version, row_group_size=2000,
                                                  use_dictionary=["word"], write_page_checksum=True), table)
        encodings = {"id": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY", "x": "BYTE_STREAM_SPLIT"}
        self.assertEqual(self.through(table, use_dictionary=False, column_encoding=encodings), table)

    def test_what_we_write_is_as_bigquery_spark_and_duckdb_want_it(self):
        table = every_table().append_column("json", pa.array(["{}", None, "1"], pa.json_()))
        self.through(table)
        file = pq.ParquetFile(self.written())
        text = str(file.schema)
        for line in ("repeated group field_id=-1 list {\n      optional int64 field_id=-1 element;",
                     "optional int64 field_id=-1 utc (Timestamp(isAdjustedToUTC=true, timeUnit=microseconds",
                     "optional int64 field_id=-1 stamp (Timestamp(isAdjustedToUTC=false, timeUnit=microseconds",
                     "optional int32 field_id=-1 small (Decimal(precision=5, scale=2))",
                     "optional int64 field_id=-1 middle (Decimal(precision=18, scale=4))",
                     "optional fixed_len_byte_array(16) field_id=-1 large (Decimal(precision=38, scale=9))",
                     "optional binary field_id=-1 utf8 (String)", "optional binary field_id=-1 json (JSON)",
                     "optional int32 field_id=-1 date (Date)"):
            self.assertIn(line, text)
        self.assertTrue(file.metadata.created_by.startswith("patchbay version "))
        self.assertIn(b"ARROW:schema", file.metadata.metadata)
        column = file.metadata.row_group(0).column(4)
        self.assertEqual((column.compression, column.statistics.min, column.statistics.null_count), ("ZSTD", -2**63, 1))
        self.through(table, encode="compression: none")
        self.assertEqual(pq.ParquetFile(self.written()).metadata.row_group(0).column(0).compression, "UNCOMPRESSED")

    def test_files_without_rows_keep_their_columns(self):
        for table in (every_table().slice(0, 0), every_table()):
            with self.subTest(rows=table.num_rows):
                self.put(every_table().slice(0, 0))
                if table.num_rows:
                    self.put(table, "b.parquet")
                self.run_json(self.pipe())
                self.assertEqual(pq.read_table(self.written()), table)


if __name__ == "__main__":
    main()
