"""Files of every form and with every defect: read exactly, rejected line by line, or refused with the reason."""

import gzip
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables
from graphrec.tabular import read
from tests.sizes import num_examples

from .conftest import Reader

EDGE = '[edges.RATED]\nfrom = "User:u"\nto = "Item:i"\nrepeated = "last"\nfile = '
RATED = EDGE.replace("file", 'properties = [{ name = "rating", column = "r", type = "float" }]\nfile')


def pairs(tables: GraphTables) -> list[tuple[str, str]]:
    frame = tables.edge("RATED").frame
    return list(zip(frame["source_id"], frame["target_id"], strict=True))


def told(tables: GraphTables) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {rule.rule: (rule.rows, rule.examples) for table in tables.cleaning.tables for rule in table.rules}


GOOD = {
    "plain": b"u,i\n1,2\n3,4\n",
    "byte order mark": b"\xef\xbb\xbfu,i\n1,2\n3,4\n",
    "windows": b"u,i\r\n1,2\r\n3,4\r\n",
    "old mac": b"u,i\r1,2\r3,4\r",
    "mixed ends": b"u,i\r\n1,2\n3,4\r\n",
    "no last end": b"u,i\n1,2\n3,4",
    "blank lines": b"\n\nu,i\n\n1,2\n\n3,4\n\n",
    "columns in another order": b"x,i,u\n9,2,1\n9,4,3\n",
    "columns that differ in case": b"U,I,u,i\n8,8,1,2\n8,8,3,4\n",
    "quoted": b'"u","i"\n"1","2"\n"3","4"\n',
    "compressed": gzip.compress(b"u,i\n1,2\n3,4\n"),
}


@pytest.mark.parametrize("case", GOOD)
def test_files_that_say_the_same(case: str, reader: Reader) -> None:
    tables = reader(EDGE + '"r.csv"', r__csv=GOOD[case])
    assert pairs(tables) == [("1", "2"), ("3", "4")]
    assert tables.cleaning.dropped == 0


BAD_LINES = {
    "too few fields": (b"5\n", "fields", "r.csv line 4: '5'"),
    "too many fields": (b"5,6,7\n", "fields", "r.csv line 4: '5,6,7'"),
    "a quote inside": (b'5,"6"7\n', "quote", "r.csv line 4: '5,\"6\"7'"),
    "bytes that are no text": (b"5,\xff\n", "encoding", "r.csv line 4: '5,"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_rejected_with_its_number(case: str, reader: Reader) -> None:
    line, rule, shown = BAD_LINES[case]
    tables = reader(EDGE + '"r.csv"', r__csv=GOOD["plain"] + line + b"7,8\n")
    assert pairs(tables) == [("1", "2"), ("3", "4"), ("7", "8")]
    rows, (text,) = told(tables)[rule]
    assert rows == 1
    assert text.startswith(shown)
    assert (tables.cleaning.tables[0].rows, tables.cleaning.tables[0].kept) == (4, 3)


@pytest.mark.parametrize("lines", [2, pytest.param(2_000_000, marks=pytest.mark.slow)])
def test_a_quote_that_swallows_the_lines_after_it_is_refused(lines: int, reader: Reader) -> None:
    rest = b"".join(b"%d,%d\n" % (number, number) for number in range(lines))
    with pytest.raises(
        DataError, match=r"r.csv line 3: a quote is not closed, .* includes the lines after it .* write quote"
    ):
        reader(EDGE + '"r.csv"', r__csv=b'u,i\n7,8\n1,"2\n' + rest)
    tables = reader(EDGE + '"r.csv"\nquote = ""', r__csv=b'u,i\n7,8\n1,"2\n' + rest)
    assert len(pairs(tables)) == lines + 2


REFUSED = {
    "empty": (b"", "r.csv is empty"),
    "empty after all": (gzip.compress(b""), "r.csv is empty"),
    "blank": (b"\n\n \n"[:2], "r.csv has only blank lines"),
    "a header only": (b"u,i\n", r"\[edges.RATED\], r\.csv: it has no rows"),
    "no such column": (b"user,i\n1,2\n", "r.csv has no column 'u', but it has user, i"),
    "nothing right": (b"u,i\n1\n2\n", r"none of its 2 rows can be kept \(fields: r.csv line 2: '1'"),
    "cut": (
        gzip.compress(b"u,i\n" + b"".join(b"%d,1\n" % n for n in range(9999)))[:-900],
        "r.csv is truncated or damaged",
    ),
    "damaged": (b"\x1f\x8b" + b"x" * 50, "r.csv is truncated or damaged"),
    "NUL bytes": (b"\0" * 1000, "r.csv is not text: 1,000 of its first 1,000 bytes are NUL"),
    "a zip": (b"PK\x03\x04" + b"x" * 50, "r.csv is truncated or damaged"),
    "Parquet": (b"PAR1" + b"x" * 50, "r.csv cannot be read: .* export or download it again"),
    "a tar": (b"u.csv" + b"\0" * 252 + b"ustar" + b"\0" * 50, "r.csv is a tar archive; unpack it first"),
    "a 7z": (b"7z\xbc\xaf\x27\x1c" + b"x" * 50, "r.csv is a 7z archive; unpack it first"),
    "UTF-16": ("u,i\n1,2\n".encode("utf-16"), 'is UTF-16; write encoding = "utf-16"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_of_which_nothing_can_be_read(case: str, reader: Reader) -> None:
    content, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        reader(EDGE + '"r.csv"', r__csv=content)


def test_parquet_that_is_none(reader: Reader) -> None:
    with pytest.raises(DataError, match="r.parquet cannot be read"):
        reader(EDGE + '"r.parquet"', r__parquet=b"PAR1 and no more")


def test_a_line_of_ten_megabytes_is_read_and_one_of_twenty_is_not(reader: Reader) -> None:
    toml = EDGE.replace("file", 'properties = ["r"]\nfile') + '"r.csv"'
    tables = reader(toml, r__csv=b"u,i,r\n1,2," + b"x" * 10_000_000 + b"\n3,4,y\n5,6," + b"x" * 20_000_000 + b"\n")
    assert tables.edge("RATED").frame["r"].str.len().tolist() == [10_000_000, 1]
    assert told(tables)["length"][0] == 1


def test_other_encodings(reader: Reader) -> None:
    text = "u,i\né,ü\n€,x\n"
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        tables = reader(f'{EDGE}"r.csv"\nencoding = "{encoding}"', r__csv=text.encode(encoding))
        assert pairs(tables) == [("é", "ü"), ("€", "x")]
    tables = reader(f'{EDGE}"r.csv"\nencoding = "cp1252"', r__csv=text.encode("cp1252") + b"\x81,y\n")
    assert told(tables)["encoding"][0] == 1  # 0x81 is nothing in cp1252


def test_separators_and_missing_texts(reader: Reader) -> None:
    tables = reader(
        RATED + '"r.dat"\nseparator = "::"\nquote = ""\nheader = ["u", "i", "r"]\nmissing = ["", "-"]',
        r__dat=b'1::"2::4.5\n3::4::-\n-::5::1\n',
    )
    assert pairs(tables) == [("1", '"2'), ("3", "4")]
    assert tables.edge("RATED").frame["rating"].fillna(-1).tolist() == [4.5, -1]
    assert told(tables) == {"missing": (1, ("∅ → 5",))}
    tables = reader(EDGE + '"r.tsv"', r__tsv=b'u\ti\n1\t"2\n')  # a tsv knows no quotes
    assert pairs(tables) == [("1", '"2')]


def test_several_files_with_columns_in_any_order(reader: Reader) -> None:
    tables = reader(EDGE + '["b.csv", "a*.csv"]', b__csv="i,u\n2,1\n", a2__csv="u,i,x\n5,6,0\n", a1__csv="u,i\n3,4\n")
    assert pairs(tables) == [("1", "2"), ("3", "4"), ("5", "6")]
    with pytest.raises(DataError, match=r"a1.csv has no column 'u', but it has U, i; is U meant\?"):
        reader(EDGE + '"a*.csv"', a1__csv="U,i\n3,4\n")


def test_json_lines(reader: Reader) -> None:
    lines = [
        '{"u": 7, "i": "007", "r": 1, "by": {"x/y": "a"}}',
        '{"u": "8", "i": 9.5, "r": "2.5", "by": [1, "b"]}',
        '{"u": null, "i": "x", "r": 1}',
        '{"i": "x"}',
        '["u", "i"]',
        "{broken",
        "",
        '{"u": "9", "i": "y", "r": "many"}',
        '{"u": "10", "i": "\\u00e9\\n", "r": ""}',
    ]
    toml = RATED.replace('"float" }', '"float" }, "by", { name = "x", column = "/by/x~1y" }') + '"r.jsonl"'
    tables = reader(toml, r__jsonl="\n".join(lines).encode() + b'\n{"u": "\xff"}\n')
    frame = tables.edge("RATED").frame
    assert pairs(tables) == [("7", "007"), ("8", "9.5"), ("10", "é")]
    assert frame["rating"].fillna(-1).tolist() == [1, 2.5, -1]
    assert json.loads(frame["by"][1]) == [1, "b"]
    assert frame["x"].fillna("-").tolist() == ["a", "-", "-"]
    rules = told(tables)
    assert {name: rows for name, (rows, _) in rules.items()} == {
        "encoding": 1,
        "json": 2,
        "type": 1,
        "missing": 2,
        "text": 1,
    }
    assert rules["json"][1] == ('r.jsonl: \'["u", "i"]\'', "r.jsonl: '{broken'")


def test_parquet_keeps_what_it_knows(reader: Reader, tmp_path: Path) -> None:
    duckdb.execute(
        "COPY (SELECT * FROM (VALUES (7::DOUBLE, 1::UTINYINT, true, TIMESTAMP '2023-07-01 12:00:00', ['a', 'b'], "
        "2.5::DECIMAL(9, 2)), (8.5, 2, false, NULL, NULL, NULL)) AS t(u, i, good, t, l, d)) "
        f"TO '{tmp_path / 'r.parquet'}'"
    )
    toml = EDGE.replace("file", 'properties = ["good", "l", "d", { name = "n", column = "i" }]\ntime = "t"\nfile')
    frame = reader(toml + '"r.parquet"').edge("RATED").frame
    assert frame["source_id"].tolist() == ["7", "8.5"]
    assert frame["target_id"].tolist() == ["1", "2"]
    assert frame["timestamp"].fillna(0).tolist() == [1_688_212_800, 0]
    assert frame["good"].tolist() == [True, False]
    assert frame["n"].tolist() == [1, 2]
    assert frame["d"].fillna(0).tolist() == [2.5, 0]
    assert json.loads(frame["l"][0]) == ["a", "b"]


@pytest.mark.parametrize("day", ["DATE '9999-12-31' + 1", "DATE 'infinity'"])
def test_a_date_that_no_calendar_has_is_refused(day: str, reader: Reader, tmp_path: Path) -> None:
    duckdb.execute(f"COPY (SELECT 1 AS u, 2 AS i, {day} AS t) TO '{tmp_path / 'r.parquet'}'")
    with pytest.raises(DataError, match="r.parquet cannot be read: .*t has a date outside of the years 1 to 9999"):
        reader(EDGE.replace("file", 'time = "t"\nfile') + '"r.parquet"')


def test_lists_are_divided(reader: Reader) -> None:
    toml = '[edges.IN_GENRE]\nfrom = "Item:i"\nto = "Genre:g"\nsplit = "[]"\nfile = "g.jsonl"'
    lines = [
        '{"i": 1, "g": ["a", 2, null]}',
        '{"i": 2, "g": []}',
        '{"i": 3}',
        '{"i": 4, "g": "a"}',
        '{"i": 5, "g": [[1]]}',
    ]
    tables = reader(toml, g__jsonl="\n".join(lines))
    assert tables.edges[0].frame.to_numpy().tolist() == [["1", "a"], ["1", "2"]]
    assert told(tables)["type"][0] == 2
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected["reason"].tolist() == ["target_id is not a list of texts"] * 2
    assert [json.loads(row)["g"] for row in tables.cleaning.rejected["row"]] == ["a", "[[1]]"]


def test_where_needs_its_column(reader: Reader) -> None:
    tables = reader(EDGE + '"r.csv"\nwhere = { x = ["a", "b"] }', r__csv="u,i,x\n1,2,a\n3,4,c\n5,6,b\n")
    assert pairs(tables) == [("1", "2"), ("5", "6")]
    with pytest.raises(DataError, match="has no column y, which where names"):
        reader(EDGE + '"r.csv"\nwhere = { y = "a" }')


TOML = """name = "any"
[edges.RATED]
file = "any.FORM"
from = "User:u"
to = "Item:i"
properties = [{ name = "rating", column = "r", type = "float" }]
time = "t"
repeated = "last"
"""
FIELD = st.one_of(st.text(max_size=6), st.integers(-(10**20), 10**20).map(str), st.floats().map(str))
ROWS = st.lists(st.lists(FIELD, min_size=3, max_size=5).map(",".join), max_size=8).map("\n".join)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.floats(), lambda s: st.lists(s, max_size=3), max_leaves=4
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from("uirt"), JSON).map(json.dumps), max_size=6).map("\n".join)


@settings(max_examples=num_examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=60).map(lambda rest: b"u,i,r,t\n1,2,3,4\n" + rest),
        ROWS.map(lambda rows: f"u,i,r,t\n{rows}".encode("utf-8", "surrogatepass")),
        OBJECTS.map(str.encode),
        st.binary(max_size=40).map(lambda rest: gzip.compress(b"u,i,r,t\n1,2,3,4\n") + rest),
    ),
    form=st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
)
@example(content=b'u,i,r,t\n1,2,3,99999999999999999999\n1,2,nan,1e308\n"', form="csv")
@example(content=b"u,i,r,t\r\n1,2\r3,4\n", form="csv")
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes, form: str, tmp_path: Path) -> None:
    (tmp_path / f"any.{form}").write_bytes(content)
    (tmp_path / "any.toml").write_text(TOML.replace("FORM", form))
    try:
        tables = read(tmp_path / "any.toml")
    except GraphrecError:
        return
    (found,) = tables.cleaning.tables
    merged = sum(rule.rows for rule in found.rules if rule.action == "merged")
    assert found.rows == found.kept + merged + found.dropped
