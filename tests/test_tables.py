"""Tables check themselves once: columns, ids, ends and doubles."""

import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable

USER = NodeType("User")
ITEM = NodeType("Item", ("title",))
RATED = EdgeType("User", "RATED", "Item", ("rating",))
TAGGED = EdgeType("User", "TAGGED", "Item", ("tag",), key=("tag",))


def users(*ids: str) -> NodeTable:
    return NodeTable(USER, pd.DataFrame({"id": list(ids)}, dtype="str"))


def items(*ids: str) -> NodeTable:
    return NodeTable(ITEM, pd.DataFrame({"id": list(ids), "title": [f"title {each}" for each in ids]}, dtype="str"))


def rated(*pairs: tuple[str, str]) -> EdgeTable:
    frame = pd.DataFrame(pairs, columns=["source_id", "target_id"], dtype="str")
    return EdgeTable(RATED, frame.assign(rating=1.0))


def test_tables_are_found_by_their_names() -> None:
    tables = GraphTables((users("u"), items("i")), (rated(("u", "i")),))
    assert tables.node("Item").frame["title"].tolist() == ["title i"]
    assert tables.edge("RATED").type is RATED
    assert tables.schema.nodes == (USER, ITEM)
    assert [edge.triple for edge in tables.schema.edges] == [("User", "RATED", "Item")]


def test_a_node_table_needs_its_columns() -> None:
    with pytest.raises(DataError, match="Item: the table has no column title; it has id"):
        NodeTable(ITEM, pd.DataFrame({"id": ["1"]}))


@pytest.mark.parametrize("missing", ["", None])
def test_an_id_must_not_be_empty(missing: str | None) -> None:
    with pytest.raises(DataError, match="User: id is empty in 1 row"):
        NodeTable(USER, pd.DataFrame({"id": pd.Series(["1", missing], dtype="str")}))


def test_an_id_is_a_string() -> None:
    with pytest.raises(DataError, match="column id holds int64, but an id is a string"):
        NodeTable(USER, pd.DataFrame({"id": [1, 2]}))


def test_an_id_stands_once() -> None:
    with pytest.raises(DataError, match=r"2 ids occur more than once \(b, c\)"):
        users("a", "b", "b", "c", "c")


def test_an_edge_stands_once_per_key() -> None:
    with pytest.raises(DataError, match=r"RATED: 1 edge occurs more than once by both ends \(u → i\)"):
        rated(("u", "i"), ("u", "i"))
    frame = pd.DataFrame({"source_id": ["u", "u"], "target_id": ["i", "i"], "tag": ["a", "A"]}, dtype="str")
    assert len(EdgeTable(TAGGED, frame).frame) == 2
    with pytest.raises(DataError, match="u → i → a"):
        EdgeTable(TAGGED, frame.assign(tag="a"))


def test_an_edge_ends_at_nodes_that_are_there() -> None:
    with pytest.raises(DataError, match=r"RATED: 1 edge points at Item ids that no row of Item has \(j\)"):
        GraphTables((users("u"), items("i")), (rated(("u", "i"), ("u", "j")),))
    with pytest.raises(DataError, match="points at Item ids"):
        GraphTables((users("u"),), (rated(("u", "i")),))


def test_a_type_stands_in_one_table() -> None:
    with pytest.raises(DataError, match="User is in two tables"):
        GraphTables((users("u"), users("v")), ())
    with pytest.raises(DataError, match="User RATED Item is in two tables"):
        GraphTables((users("u"), items("i")), (rated(("u", "i")), rated()))


def test_one_relation_may_lead_to_two_labels() -> None:
    other = NodeTable(NodeType("UnlistedItem"), pd.DataFrame({"id": ["x"]}, dtype="str"))
    edge = EdgeTable(
        EdgeType("User", "RATED", "UnlistedItem"), pd.DataFrame({"source_id": ["u"], "target_id": ["x"]}, dtype="str")
    )
    tables = GraphTables((users("u"), items("i"), other), (rated(("u", "i")), edge))
    assert tables.edge("RATED").type is RATED
