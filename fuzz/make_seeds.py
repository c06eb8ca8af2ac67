"""Files for the fuzzers to begin with: make_seeds.py TARGET FOLDER."""

import pathlib
import sys

TEXT = {
    "csv": ['id,name\r\n1,"a ""b"""\r\n2,\r\n', 'a,b\n1,2026-01-31\n,"x\ny"\n3\n', "\ufeffid\n007\n1e5\n"],
    "json": ['{"id":1,"a":[{"b":null},{"b":"x"}],"t":"2026-01-31T00:00:00Z"}\n{"id":1.5}\nx\n', '{"a":{"b":[[1],[]]}}\n{"a":null}\n'],
}
SOURCE = pathlib.Path(__file__).resolve().parents[1]
FILES = {"manifest": "manifests/*.json", "pipeline": "examples/**/*.yaml"}


def parquet_files():
    import decimal
    import io
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [
        pa.table({"id": [1, 2, None], "name": ["a", None, "c"]}),
        pa.table({"l": [[1, None], [], None], "s": [{"x": "a", "y": [True]}, {"x": None, "y": None}, None]}),
        pa.table({"d": [decimal.Decimal("1.5"), None], "t": pa.array([1, 2], pa.timestamp("ns", "UTC")), "b": pa.array([b"abc", None], pa.binary(3)),
                  "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int8())), "h": pa.array([1, None], pa.float16())}),
        pa.table({"at": pa.array([0, 1000], pa.timestamp("us"))}),
    ]
    for i, table in enumerate(tables):
        for more in ({}, {"data_page_version": "2.0", "compression": "zstd", "use_dictionary": False},
                     {"use_deprecated_int96_timestamps": True, "compression": "gzip", "store_schema": False}):
            out = io.BytesIO()
            pq.write_table(table, out, **more)
            yield out.getvalue()


def tar_files():
    import io
    import tarfile

    for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as archive:
            for name, type in (("usr", tarfile.DIRTYPE), ("usr/" + "n" * 90 + "/" + "m" * 90, tarfile.REGTYPE), ("l", tarfile.SYMTYPE)):
                member = tarfile.TarInfo(name)
                long = 10 if format == tarfile.USTAR_FORMAT else 50
                member.type, member.linkname, member.size = type, "usr" * long, 600 if type == tarfile.REGTYPE else 0
                archive.addfile(member, io.BytesIO(b"x" * member.size))
        yield out.getvalue()


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if target == "parquet":
        seeds = parquet_files()
    elif target == "tar":
        seeds = tar_files()
    elif target in FILES:
        seeds = (file.read_bytes() for file in sorted(SOURCE.glob(FILES[target])))
    else:
        seeds = (text.encode() for text in TEXT.get(target, []))
    for i, seed in enumerate(seeds):
        (folder / f"seed{i}").write_bytes(seed)


if __name__ == "__main__":
    main()
