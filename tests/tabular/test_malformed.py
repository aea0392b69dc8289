"""Whatever a file holds, of any form and shape: reading ends with tables or with one sentence, in bounded time."""

import bz2
import gzip
import json
import lzma
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.errors import GraphrecError
from graphrec.tabular import read
from tests.sizes import num_examples

from .workbooks import Rows, ods, xlsx, zipped

ROWS: Rows = [
    ["u", "i", "r", "t"],
    ["1", "2", 4.5, "2024-01-02"],
    ["3", 'a "b"', 3, "2024-01-03"],
    ["4", "c, d", None, None],
]
CSV = b'u,i,r,t,\n1,2,"4,5",2024-01-02,\n"3","a ""b""",3,2024-01-03\n4,"c, d",,\n'
LINES = "\n".join(json.dumps(dict(zip(ROWS[0], map(str, row), strict=True))) for row in ROWS[1:]).encode()
ARRAY = json.dumps({"meta": [1], "data": {"rows": [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]}}).encode()
EDGE = 'from = "User:u"\nto = "Item:i"\nproperties = ["r"]\ntime = "t"\nrepeated = "last"\n'


def parquet(folder: Path) -> bytes:
    path = folder / "made.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS u, '2' AS i, 4.5 AS r, DATE '2024-01-02' AS t FROM range(3)) TO '{path}'")
    return path.read_bytes()


#: The name of the file, its content, and what the TOML says of it beside the columns.
FORMS: dict[str, tuple[bytes, str]] = {
    "csv": (CSV, EDGE),
    "csv with everything": (
        b"title\n# note\nu;i;r;t\n1;'a\\'b';4.500,5;2024-01-02\n",
        EDGE
        + 'separator = ";"\nquote = "\'"\nescape = "\\\\"\nskip = 1\ncomment = "#"\ndecimal = ","\nthousands = "."\n',
    ),
    "utf-16": (CSV.decode().encode("utf-16"), EDGE + 'encoding = "utf-16"\n'),
    "tsv": (b"u\ti\tr\tt\n1\t2\t3\t2024-01-02\n", EDGE + 'format = "tsv"\n'),
    "gzip": (gzip.compress(CSV), EDGE),
    "bzip2": (bz2.compress(CSV), EDGE),
    "xz": (lzma.compress(CSV), EDGE),
    "zstd": (pa.compress(CSV, codec="zstd", asbytes=True), EDGE),
    "zip": (zipped({"a.csv": CSV, "b/c.csv": CSV}), EDGE),
    "json lines": (LINES, EDGE),
    "json": (ARRAY, EDGE + 'records = "/data/rows"\n'),
    "xlsx": (xlsx(One=ROWS, Two=ROWS), EDGE),
    "ods": (ods(ROWS), EDGE),
    "parquet": (b"", EDGE),
    "basket": (
        b'c1,milk,"bread, dark"\nc2,,\n',
        'from = "User:basket"\nto = "Item:item"\nshape = "basket"\nrepeated = "last"\n',
    ),
    "wide": (
        b"user,a,b,\nu1,1,,\nu2,,2\n",
        'from = "User:row"\nto = "Item:column"\nshape = "wide"\nweight = "value"\nrepeated = "last"\n',
    ),
    "sql": (CSV, EDGE + 'sql = "select * from x"\nfiles = { x = "FILE" }\n'),
}


@st.composite
def damage(draw: st.DrawFn) -> tuple[list[tuple[str, float, bytes]], str]:
    """Changes of bytes at places between 0 and 1, and the name of what they are made to."""
    bites = st.one_of(
        st.binary(max_size=4), st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"[", b"}", b"9" * 30])
    )
    kinds = st.sampled_from(["insert", "replace", "cut", "double", "drop"])
    return draw(st.lists(st.tuples(kinds, st.floats(0, 1), bites), min_size=1, max_size=3)), draw(
        st.sampled_from(sorted(FORMS))
    )


def damaged(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, share, bite in changes:
        place = int(share * len(content))
        before, after = content[:place], content[place:]
        content = {
            "insert": before + bite + after,
            "replace": before + bite + after[len(bite) :],
            "cut": before,
            "double": before + before[-20:] + after,
            "drop": before + after[7:],
        }[kind]
    return content


def outcome(form: str, content: bytes, folder: Path) -> str:
    """ "read", or the one sentence."""
    toml = FORMS[form][1]
    origin = "" if "FILE" in toml else 'file = "any"\n'
    (folder / "any").write_bytes(content)
    (folder / "any.toml").write_text(f'name = "any"\n[edges.RATED]\n{origin}{toml.replace("FILE", "any")}')
    try:
        read(folder / "any.toml")
    except GraphrecError as error:
        return str(error)
    return "read"


def content_of(form: str, folder: Path) -> bytes:
    return parquet(folder) if form == "parquet" else FORMS[form][0]


@pytest.mark.parametrize("form", FORMS)
def test_undamaged_files_are_read(form: str, tmp_path: Path) -> None:
    assert outcome(form, content_of(form, tmp_path), tmp_path) == "read"


def check(changes: list[tuple[str, float, bytes]], form: str, folder: Path) -> None:
    begin = time.monotonic()
    said = outcome(form, damaged(content_of(form, folder), changes), folder)
    assert "\n" not in said
    assert len(said) < 1200
    assert time.monotonic() - begin < 60


@settings(max_examples=num_examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=damage())
def test_damaged_files_are_read_or_refused(case: tuple[list[tuple[str, float, bytes]], str], tmp_path: Path) -> None:
    check(*case, tmp_path)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=damage())
def test_many_damaged_files_are_read_or_refused(
    case: tuple[list[tuple[str, float, bytes]], str], tmp_path: Path
) -> None:
    check(*case, tmp_path)
