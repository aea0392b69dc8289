"""Records restored from nodes."""

from typing import Any

import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import (
    IDENTITY,
    KEY,
    NATIVE_ID,
    NODE,
    SHARED,
    SOURCE_NAME,
    build_records,
    list_properties,
    restore_records,
    source_property,
    stored_names,
)
from graphrec.schema import NodeType
from graphrec.tables import NodeTable, Source

ONE = SourceManifest(Source("one"), (NodeType("Item", ("title", "year")), NodeType("Genre", shared=True)))
TWO = SourceManifest(Source("two"), (NodeType("Item", ("title", "length")),))
SOURCES = (ONE, TWO)


def nodes(*rows: dict[str, Any]) -> pd.DataFrame:
    names = ("id", *stored_names("Item", SOURCES))
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})


def records(*rows: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    found = restore_records("Item", nodes(*rows), SOURCES)
    cells = found[[NODE, "title", "year", "length"]].itertuples(index=False, name=None)
    return dict(zip(found[KEY], cells, strict=True))


def test_the_names_that_a_label_has() -> None:
    assert source_property("one", "title") == "one:title"
    assert list_properties("Item", SOURCES) == ("length", "title", "year")
    assert list_properties("Genre", SOURCES) == list_properties("Tag", SOURCES) == ()
    assert stored_names("Item", SOURCES) == (
        *("keys", "length", "title", "year", ":length", ":title", ":year"),
        *("one:title", "one:year", "two:title", "two:length"),
    )


def test_records_of_a_table() -> None:
    frame = pd.DataFrame({"id": ["7", "a:b"], "title": ["Heat", None], "year": pd.array([1995, None], dtype="Int64")})
    found = build_records(NodeTable(NodeType("Item", ("title", "year"), shared=True), frame), "one")
    assert found.to_dict("list") == {
        KEY: ["one:7", "one:a:b"],
        SOURCE_NAME: ["one", "one"],
        NATIVE_ID: ["7", "a:b"],
        SHARED: [True, True],
        "title": ["Heat", None],
        "year": [1995, None],
    }


def test_a_node_of_one_source_has_its_values_as_properties() -> None:
    assert records({"id": "7", "keys": ["one:7"], "title": "Heat", "year": 1995, "length": 3, "two:title": "no"}) == {
        "one:7": (0, "Heat", 1995, None)  # source one does not declare length: another program wrote it
    }


def test_a_node_of_several_sources_has_the_values_of_each() -> None:
    node = {"id": "7", "keys": ["one:7", "two:x:y"], "title": "Heat", "one:title": "Heat", "two:length": 170}
    assert records({"id": "5", "keys": ["two:5"], "length": 9}, node) == {
        "two:5": (0, None, None, 9),
        "one:7": (1, "Heat", None, None),
        "two:x:y": (1, None, None, 170),
    }


def test_a_node_without_keys_is_a_record_made_by_hand() -> None:
    node = {"id": "7", "title": "Heat", "year": 1995, "length": 170}
    assert records(node) == {":7": (0, "Heat", 1995, 170)}
    assert records({**node, "keys": []}) == records(node)


def test_a_property_that_no_source_declares_was_made_by_hand() -> None:
    node = {"id": "7", "keys": [":7", "one:7"], ":title": "mine", "title": "Heat", "one:title": "Heat", "length": 170}
    assert records(node) == {":7": (0, "mine", None, 170), "one:7": (0, "Heat", None, None)}


def test_shared_is_read_from_the_manifest() -> None:
    frame = pd.DataFrame({"id": ["x", "y"], "keys": [["one:x"], None]})
    assert restore_records("Genre", frame, SOURCES)[SHARED].tolist() == [True, False]


def test_no_nodes_have_no_records() -> None:
    assert list(restore_records("Item", nodes(), SOURCES).columns) == [*IDENTITY, "length", "title", "year", NODE]


def test_a_key_on_two_nodes_is_reported() -> None:
    with pytest.raises(DataError, match=r"Item: 1 keys are on two nodes of the graph \(one:1\)"):
        records({"id": "a", "keys": ["one:1"]}, {"id": "b", "keys": ["one:1"]})


def test_a_key_of_an_unknown_source_is_reported() -> None:
    with pytest.raises(
        DataError, match=r"Item: 2 keys in the graph are of sources without a Source node \(old; first: o"
    ):
        records({"id": "a", "keys": ["old:1", "one:1"]}, {"id": "b", "keys": ["old:2"]})
