"""Frames of any library are tables like those of files."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import Description, frames, read

NOON = datetime(2024, 1, 2, 12)


def loaded(frame: Any, **keys: object) -> GraphTables:  # of any library
    given = {"name": "m", "edges": "RATED", "from_": "User:u", "to": "Item:i", "repeated": "last"} | keys
    return read(Description(frames.describe_frame(frame, given), Path()))


def pairs(tables: GraphTables) -> list[tuple[str, str]]:
    frame = tables.edge("RATED").frame
    return list(zip(frame["source_id"], frame["target_id"], strict=True))


COLUMNS = {"u": [1, 2], "i": ["a", "b"], "t": [NOON, None], "r": [4.5, None]}
LIBRARIES = {
    "pandas": pd.DataFrame(COLUMNS),
    "pandas with its index": pd.DataFrame(COLUMNS).set_index("u"),
    "pandas with kinds": pd.DataFrame(COLUMNS).astype({"u": "category", "i": "category", "r": "Float64"}),
    "polars": pl.DataFrame(COLUMNS),
    "polars with kinds": pl.DataFrame(COLUMNS).with_columns(pl.col("i").cast(pl.Categorical)),
    "pyarrow": pa.table(COLUMNS),
    "duckdb": duckdb.sql(
        "FROM (VALUES (1, 'a', TIMESTAMP '2024-01-02 12:00:00', 4.5::DOUBLE), (2, 'b', NULL, NULL)) AS t(u, i, t, r)"
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_frame_of_any_library(library: str) -> None:
    tables = loaded(LIBRARIES[library], time="t", properties=["r"])
    frame = tables.edge("RATED").frame
    assert pairs(tables) == [("1", "a"), ("2", "b")]
    assert frame["timestamp"].fillna(0).tolist() == [1_704_196_800, 0]
    assert frame["r"].fillna(-1).tolist() == [4.5, -1]


def test_values_that_arrow_does_not_know_together_are_text() -> None:
    frame = pd.DataFrame({"u": [1, "x", None], "i": [date(2024, 1, 2), 2**60, "z"]}, dtype=object)
    tables = loaded(frame)
    assert pairs(tables) == [("1", "2024-01-02"), ("x", str(2**60))]
    assert tables.cleaning.dropped == 1


def test_names_of_columns() -> None:
    assert pairs(loaded(pd.DataFrame([[1, 2]]), from_="User:0", to="Item:1")) == [("1", "2")]
    assert pairs(loaded(pd.DataFrame([[1, 2, 3]], columns=["u", "i", "i"]), to="Item:i_2")) == [("1", "3")]
    assert pairs(loaded(pd.DataFrame({"u": [1], "U": [9], "i": [2]}))) == [("1", "2")]
    with pytest.raises(DataError, match="the frame has no column 'i', but it has u, item"):
        loaded(pd.DataFrame({"u": [1], "item": [2]}))


def test_where_and_missing() -> None:
    frame = pd.DataFrame({"u": [1, 2, 3], "i": ["a", "-", "c"], "kind": [1, 1, np.nan]})
    assert pairs(loaded(frame, where={"kind": ["1.0"]}, missing=["-"])) == [("1", "a")]


def test_the_cleaning_of_tables_is_that_of_files() -> None:
    frame = pd.DataFrame({"u": [1, 1, 2], "i": [5, 5, 6], "r": ["3", "4", "many"]})
    tables = loaded(frame, properties=[{"name": "r", "type": "float"}], ranges={"r": [0, 5]})
    assert tables.edge("RATED").frame.to_numpy().tolist() == [["1", "5", 4.0]]
    assert tables.cleaning.dropped == 1


def test_nodes_and_a_mapping_of_several_frames() -> None:
    users = pl.DataFrame({"u": [1, 2], "name": ["Ann", "Bob"]})
    tables = read(
        Description(
            frames.describe_frame(users, {"name": "m", "nodes": "User", "id": "u", "properties": ["name"]}), Path()
        )
    )
    assert tables.node("User").frame.to_numpy().tolist() == [["1", "Ann"], ["2", "Bob"]]
    spec = {
        "name": "m",
        "nodes": {"User": {"file": users, "id": "u", "properties": ["name"]}},
        "edges": {"RATED": {"file": pa.table({"u": [1], "i": [3]}), "from": "User:u", "to": "Item:i"}},
    }
    tables = read(Description(spec, Path()))
    assert (len(tables.node("User").frame), pairs(tables)) == (2, [("1", "3")])


def test_paths_in_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("u,i\n1,2\n")
    for file in ("a.csv", Path("a.csv"), [tmp_path / "a.csv"]):
        edges = {"RATED": {"file": file, "from": "User:u", "to": "Item:i"}}
        assert pairs(read(Description({"name": "m", "edges": edges}, tmp_path))) == [("1", "2")]


def test_a_frame_without_rows_is_called_a_frame() -> None:
    with pytest.raises(DataError, match="the frame: it has no rows; nothing is written"):
        loaded(FRAME[:0])


FRAME = pd.DataFrame({"u": [1], "i": [2]})
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "nothing said": ({"edges": None}, "it is unknown what the rows of the frame with the columns u, i are; write load"),
    "nodes and edges": ({"nodes": "User"}, "it is unknown what the rows of the frame"),
    "a key": ({"tme": "t"}, r"the description \[edges.RATED\]: tme is not a key of this table; did you mean time\?"),
    "a key of files": ({"separator": ";"}, "separator is for a file, and this is a frame"),
    "baskets": ({"shape": "basket"}, "shape basket is for lines of text, and this is a frame"),
    "no name": ({"name": ""}, "the description: name must not be empty"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    keys, message = WRONG[case]
    with pytest.raises(DataError, match=message):
        loaded(FRAME, **keys)


def test_what_is_no_frame() -> None:
    class Odd:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise TypeError("no stream\nat all")

    edges = {"RATED": {"file": Odd(), "from": "User:u", "to": "Item:i"}}
    with pytest.raises(
        DataError, match=r"\[edges.RATED\]: the frame cannot be read \(no stream\\nat all\); convert it first"
    ):
        read(Description({"name": "m", "edges": edges}, Path()))
    edges["RATED"]["file"] = [FRAME]
    with pytest.raises(DataError, match="file must be a text or a list of texts, not") as caught:
        read(Description({"name": "m", "edges": edges}, Path()))
    assert "\n" not in str(caught.value)
