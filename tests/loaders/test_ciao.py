"""Ciao: stars from one to five, repeated reviews, items of several categories, one-sided trust."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("ciao").load

RATINGS = """user,item,category,rating,helpfulness,time
1,10,24,5,4,959670000
2,10,4,3,1,1000000000
1,11,4,0,1,1071126000
1,20,4,4,2,1273993200
1,20,4,3,1,1230706800
2,20,4,2,7,1001000000
2,20,4,2,7,1001000000
"""
TRUST = "user,trusts\n1,2\n2,1\n3,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    (tmp_path / "trust.csv").write_text(TRUST)
    return tmp_path


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert rows(tables, "RATED") == [
        ("1", "10", 5.0, 4, 959670000),
        ("1", "20", 4.0, 2, 1273993200),  # the later of two reviews, which stands first
        ("2", "10", 3.0, 1, 1000000000),
        ("2", "20", 2.0, 7, 1001000000),  # the same line twice
    ]
    assert rows(tables, "TRUSTS") == [("1", "2"), ("2", "1"), ("3", "1")]
    assert rows(tables, "IN_CATEGORY") == [("10", "24"), ("10", "4"), ("11", "4"), ("20", "4")]
    assert sorted(tables.node("User").frame["id"]) == ["1", "2", "3"]  # 3 trusts, and rated nothing
    assert not tables.node("Category").type.shared
    dtypes = tables.edge("RATED").frame.dtypes.astype("str").tolist()
    assert dtypes == ["str", "str", "float64", "int64", "int64"]


def test_what_was_done_is_reported(folder: Path) -> None:
    report = {(table.name, rule.rule): rule.rows for table in load(folder).cleaning.tables for rule in table.rules}
    assert report == {("RATED", "range"): 1, ("RATED", "repeated"): 2}


BAD = {
    "half a star": ("ratings.csv", "1,2,3,good,1,1000000000\n", r"column rating is not a number .*line 9: 'good'"),
    "helpfulness of no number": ("ratings.csv", "1,2,3,4,1.5,1000000000\n", r"helpfulness is not a whole number"),
    "a short line": ("ratings.csv", "1,2,3\n", r"ratings\.csv: 1 of the rows do not have the 6 fields .*line 9 has 3"),
    "trust twice": ("trust.csv", "1,2\n", r"TRUSTS: 1 edge occurs more than once .*\(1 → 2\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    with (folder / file).open("a") as stream:
        stream.write(line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(
        GraphrecError, match=r"ciao needs a folder: download .* from https://www\.cse\.msu.*ratings\.csv"
    ):
        load(None)
    with pytest.raises(DataError, match="there is no folder"):
        load(folder / "nowhere")
    (folder / "trust.csv").unlink()
    with pytest.raises(DataError, match=r"has no file trust\.csv and no trust\.csv\.gz; it has ratings\.csv"):
        load(folder)


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("ciao"))
    counts = {table.type.label: len(table.frame) for table in tables.nodes}
    assert counts == {"User": 7375, "Item": 105_114, "Category": 28}
    rated = tables.edge("RATED").frame
    assert (len(rated), len(tables.edge("TRUSTS").frame)) == (282_619, 111_781)
    assert len(tables.edge("IN_CATEGORY").frame) == 105_219  # 101 items are in several categories
    assert sorted(rated["rating"].unique()) == [1, 2, 3, 4, 5]
    assert sorted(rated["helpfulness"].unique()) == [1, 2, 3, 4, 5, 6, 7]
    assert (rated["timestamp"].min(), rated["timestamp"].max()) == (959_670_000, 1_302_591_600)
    report = {rule.rule: rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {"range": 34, "repeated": 1433}
