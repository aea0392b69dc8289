"""Ids of any source keep every digit, and words for a missing value are none."""

import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graphrec.cleaning.casting import as_text
from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import sql
from graphrec.tabular.assembly import _cast_column
from graphrec.tabular.reader import read

HUGE = 2**53
TOML = 'name = "s"\n[edges.VIEWED]\nfile = "{}"\nfrom = "User:user"\nto = "Item:item"\nrepeated = "first"\n'


def load(folder: Path, name: str, toml: str = TOML) -> GraphTables:
    (folder / "s.toml").write_text(toml.format(name), encoding="utf-8")
    return read(folder / "s.toml")


def users(tables: GraphTables) -> list[str]:
    return tables.node("User").frame["id"].tolist()


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array([Decimal(HUGE), Decimal(HUGE + 1)], pa.decimal128(38, 0)), [str(HUGE), str(HUGE + 1)]),
        (pa.array([Decimal("7.00"), Decimal("8.50")], pa.decimal128(20, 2)), ["7", "8.5"]),
        (pa.array([2**64 - 1, 2**63], pa.uint64()), [str(2**64 - 1), str(2**63)]),
        (pa.array([HUGE + 1, None], pa.int64()), [str(HUGE + 1)]),
        (pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([15.0, 2.5, 1e19]), ["15", "2.5", "10000000000000000000"]),
        (pa.array(["café".encode(), b"\xff\x00"], pa.binary()), ["café", "\\xff00"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([19000, 19001], pa.date32()), ["2022-01-08", "2022-01-09"]),
        (pa.array(["007", "7"]), ["007", "7"]),
    ],
)
def test_ids_of_a_parquet_file_are_exact(tmp_path: Path, column: pa.Array, ids: list[str]) -> None:
    pq.write_table(pa.table({"user": column, "item": ["x"] * len(column)}), tmp_path / "e.parquet")
    assert users(load(tmp_path, "e.parquet")) == ids


def test_ids_of_json_numbers_are_those_of_parquet(tmp_path: Path) -> None:
    numbers = ["15", "15.0", "1e3", str(2**63 + 1), str(HUGE + 1), str(10**30 + 7)]
    lines = [f'{{"user": {number}, "item": "{at}"}}' for at, number in enumerate(numbers)]
    (tmp_path / "e.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert users(load(tmp_path, "e.jsonl")) == ["15", "1000", str(2**63 + 1), str(HUGE + 1), str(10**30 + 7)]


def test_ids_of_a_database_are_exact() -> None:
    arrays: dict[str, list[object]] = {
        "decimal": [Decimal(HUGE), Decimal(HUGE + 1), None],
        "large": [Decimal(10**40), Decimal(10**40 + 1), None],
        "integer": [2**70, 2**70 + 1, None],
        "mixed": [15.0, "guest", None],
        "uuid": [UUID(int=1), UUID(int=2), None],
        "bytes": [b"\xff", b"\xfe", memoryview(b"a")],
    }
    texts = {}
    for name, values in arrays.items():
        frame = pa.table({"id": sql._to_array(values)}).to_pandas()
        texts[name] = as_text(frame["id"]).dropna().tolist()
    assert texts["decimal"] == [str(HUGE), str(HUGE + 1)]
    assert texts["large"] == [str(10**40), str(10**40 + 1)]
    assert texts["integer"] == [str(2**70), str(2**70 + 1)]
    assert texts["mixed"] == ["15", "guest"]
    assert texts["uuid"] == [str(UUID(int=1)), str(UUID(int=2))]
    assert texts["bytes"] == ["\\xff", "\\xfe", "a"]
    assert sql._to_array([Decimal("NaN"), Decimal("1.5")]).type == pa.float64()


def test_decimals_as_properties_are_numbers_as_long_as_these_hold_them() -> None:
    def plain(*values: str) -> pa.ChunkedArray:
        return _cast_column(pd.Series([Decimal(value) for value in values], dtype=object))

    assert plain("1.50", "2.25").to_pylist() == [1.5, 2.25]
    assert plain("7", str(2**62)).to_pylist() == [7, 2**62]
    assert plain("7", str(2**70)).to_pylist() == ["7", str(2**70)]
    assert plain("0.5", f"{HUGE + 1}.0").to_pylist() == ["0.5", str(HUGE + 1)]


WORDS = "user,item\n1,a\nnan,a\nNaN,b\nNULL,b\nNone,a\n2.0,a\n2,b\nn/a,c\n"


def test_words_for_a_missing_value_are_no_ids_and_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(WORDS, encoding="utf-8")
    tables = load(tmp_path, "e.csv")
    assert users(tables) == ["1", "2.0", "2", "n/a"]
    rules = {(rule.rule, rule.action): rule for rule in tables.cleaning.tables[-1].rules}
    dropped, noted = rules["missing", "dropped"], rules["missing", "noted"]
    assert (dropped.rows, noted.rows) == (4, 1)
    assert dropped.hint == (
        'source_id: "nan", "NaN", "NULL", "None" represent a missing value; if they are ids, write missing = [""]'
    )
    assert noted.hint == 'source_id: if "n/a" represent missing values, write missing = ["", "n/a"]'


def test_a_declared_missing_says_what_is_an_id(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(WORDS, encoding="utf-8")
    assert "NULL" in users(load(tmp_path, "e.csv", TOML + 'missing = [""]\n'))
    rest = load(tmp_path, "e.csv", TOML + 'missing = ["", "nan", "NaN", "NULL", "None", "n/a"]\n')
    assert users(rest) == ["1", "2"]  # numbers alone, so that 2.0 is 2
    rows = [{"user": "nan", "item": "a"}, {"user": "-", "item": "b"}, {"user": "u", "item": "b"}]
    (tmp_path / "e.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert users(load(tmp_path, "e.jsonl", TOML + 'missing = ["-"]\n')) == ["nan", "u"]


def test_a_column_of_decimal_commas_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text('user,item,price\n1,a,"4,5"\n2,a,"1,25"\n', encoding="utf-8")
    toml = TOML + 'properties = [{{ name = "price", type = "float" }}]\n'
    with pytest.raises(DataError, match='none of its 2 rows can be kept .* write decimal = ","'):
        load(tmp_path, "e.csv", toml)
    (tmp_path / "t.csv").write_text("user,item,at\n1,a,13/02/2024\n", encoding="utf-8")
    with pytest.raises(DataError, match='none of its 1 rows .* column at: write format = "%d/%m/%Y"'):
        load(tmp_path, "t.csv", TOML + 'time = "at"\n')
