"""Relations of a graph as matrices, with values by hand."""

import numpy as np
import pandas as pd
import pytest

from graphrec.hetero import HeteroGraph, build
from graphrec.relations import build_relations
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable


def nodes(label: str, *ids: str) -> NodeTable:
    return NodeTable(NodeType(label), pd.DataFrame({"id": pd.Series(ids, dtype="str")}))


def edges(source: str, relation: str, target: str, *rows: tuple[str, str], **columns: list[object]) -> EdgeTable:
    ends = {"source_id": [row[0] for row in rows], "target_id": [row[1] for row in rows]}
    frame = pd.DataFrame({**ends, **columns}).astype({"source_id": "str", "target_id": "str"})
    return EdgeTable(EdgeType(source, relation, target, tuple(columns), None), frame)


@pytest.fixture(scope="module")
def graph() -> HeteroGraph:
    """Three users a, b, c, three items x, y, z."""
    return build(
        GraphTables(
            (nodes("User", "a", "b", "c"), nodes("Item", "x", "y", "z"), nodes("Genre", "g", "h"), nodes("Town", "t")),
            (
                edges("User", "PURCHASED", "Item", ("a", "x"), ("b", "y")),
                edges("User", "VIEWED", "Item", ("a", "y"), ("a", "y"), ("c", "z")),
                edges("User", "TAGGED", "Item", ("a", "x"), ("b", "x"), ("b", "z"), tag=["old", "old", "new"]),
                edges("User", "FRIEND", "User", ("a", "b")),
                edges("User", "TRUSTS", "User", ("a", "c"), ("b", "c"), ("c", "b"), value=[4.0, -3.0, 2.0]),
                edges("Item", "IN_GENRE", "Genre", ("x", "g"), ("x", "h"), ("z", "h"), ("z", "h")),
                edges("User", "LIVES_IN", "Town", ("c", "t")),
                edges("Item", "ALSO_BOUGHT", "Item", ("x", "z")),
            ),
            (),
        ),
        "PURCHASED",
    )


def test_every_relation_but_the_target_has_its_kind(graph: HeteroGraph) -> None:
    found = build_relations(graph)
    assert set(found.behaviours) == {"VIEWED", "TAGGED"}
    assert set(found.social) == {"FRIEND", "TRUSTS"}
    assert set(found.item_attributes) == {"IN_GENRE", "TAGGED.tag"}
    assert set(found.user_attributes) == {"LIVES_IN", "TAGGED.tag"}
    assert set(found.item_items) == {"ALSO_BOUGHT"}
    assert len(found.names()) == 8


def test_undirected_relations_are_read_both_ways_and_distrust_is_left_out(graph: HeteroGraph) -> None:
    found = build_relations(graph).social
    np.testing.assert_array_equal(found["FRIEND"].toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found["TRUSTS"].toarray(), [[0, 0, 4], [0, 0, 0], [0, 2, 0]])


def test_trust_of_unknown_strength_counts_as_one() -> None:
    trusts = edges("User", "TRUSTS", "User", ("a", "b"), ("a", "c"), value=[4.0, None])
    bought = edges("User", "PURCHASED", "Item", ("a", "x"))
    tables = GraphTables((nodes("User", "a", "b", "c"), nodes("Item", "x")), (bought, trusts), ())
    found = build_relations(build(tables)).social["TRUSTS"]
    np.testing.assert_array_equal(found.toarray(), [[0, 4, 1], [0, 0, 0], [0, 0, 0]])


def test_attributes_are_rows_of_their_node_and_tags_are_counted(graph: HeteroGraph) -> None:
    found = build_relations(graph)
    np.testing.assert_array_equal(found.item_attributes["IN_GENRE"].toarray(), [[1, 1], [0, 0], [0, 1]])
    np.testing.assert_array_equal(found.user_attributes["LIVES_IN"].toarray(), [[0], [0], [1]])
    assert list(graph.vocabularies["TAGGED.tag"].ids) == ["new", "old"]
    np.testing.assert_array_equal(found.item_attributes["TAGGED.tag"].toarray(), [[0, 2], [0, 0], [1, 0]])
    np.testing.assert_array_equal(found.user_attributes["TAGGED.tag"].toarray(), [[0, 1], [1, 1], [0, 0]])


def test_item_relations_are_symmetric(graph: HeteroGraph) -> None:
    found = build_relations(graph).item_items["ALSO_BOUGHT"]
    np.testing.assert_array_equal(found.toarray(), [[0, 0, 1], [0, 0, 0], [1, 0, 0]])


def test_behaviours_keep_every_event(graph: HeteroGraph) -> None:
    viewed = build_relations(graph).behaviours["VIEWED"]
    assert sorted(zip(viewed.user_index.tolist(), viewed.item_index.tolist(), strict=True)) == [(0, 1), (0, 1), (2, 2)]
