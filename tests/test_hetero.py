"""The graph as HeteroData: exact, with reverse edges and vocabularies, and cut to what a model may see."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from graphrec import atomic_write, hetero
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable

FULL = Path("/dev/full")
RATED = ("User", "RATED", "Item")


def tables() -> GraphTables:
    users = NodeTable(NodeType("User"), pd.DataFrame({"id": ["b", "a"]}))
    items = NodeTable(
        NodeType("Item", ("year", "title")),
        pd.DataFrame(
            {"id": ["x", "y", "z"], "year": pd.array([1979, None, 2001], dtype="Int64"), "title": list("XYZ")}
        ),
    )
    rated = EdgeTable(
        EdgeType(*RATED, ("rating", "timestamp")),
        pd.DataFrame(
            {
                "source_id": ["a", "b", "a"],
                "target_id": ["z", "x", "x"],
                "rating": [0.5, 5.0, 3.5],
                "timestamp": [30, 10, 20],
            }
        ),
    )
    tagged = EdgeTable(
        EdgeType("User", "TAGGED", "Item", ("tag", "timestamp"), ("tag",)),
        pd.DataFrame({"source_id": ["a", "a"], "target_id": ["x", "x"], "tag": ["new", "dark"], "timestamp": [5, 25]}),
    )
    friends = EdgeTable(EdgeType("User", "FRIEND", "User"), pd.DataFrame({"source_id": ["a"], "target_id": ["b"]}))
    return GraphTables((users, items), (rated, tagged, friends))


def edges(graph: hetero.HeteroGraph, triple: tuple[str, str, str], name: str) -> dict[tuple[str, str], float]:
    store = graph.data[triple]
    source = graph.vocabularies[triple[0]].id(store.edge_index[0].numpy())
    target = graph.vocabularies[triple[2]].id(store.edge_index[1].numpy())
    return dict(zip(zip(source, target, strict=True), store[name].tolist(), strict=True))


def test_edges_and_their_properties_line_up_in_both_directions() -> None:
    graph = hetero.build(tables())
    assert edges(graph, RATED, "rating") == {("a", "z"): 0.5, ("b", "x"): 5.0, ("a", "x"): 3.5}
    assert edges(graph, ("Item", "rev_RATED", "User"), "rating") == {("z", "a"): 0.5, ("x", "b"): 5.0, ("x", "a"): 3.5}
    assert graph.data[RATED].rating.dtype == torch.float64
    assert graph.data[RATED].timestamp.dtype == torch.int64
    assert graph.data["User", "FRIEND", "User"].num_edges == graph.data["User", "rev_FRIEND", "User"].num_edges == 1
    assert graph.target == RATED


def test_edges_are_sorted_by_their_source() -> None:
    index = hetero.build(tables()).data[RATED].edge_index
    assert (index[0].diff() >= 0).all()


def test_texts_on_edges_become_codes() -> None:
    graph = hetero.build(tables())
    codes = graph.data["User", "TAGGED", "Item"].tag.tolist()
    assert sorted(graph.vocabularies["TAGGED.tag"].ids[codes]) == ["dark", "new"]


def test_a_missing_number_is_nan_and_a_title_stays_in_the_store() -> None:
    data = hetero.build(tables()).data
    assert data["Item"].year.tolist()[::2] == [1979.0, 2001.0]
    assert torch.isnan(data["Item"].year[1])
    assert "title" not in data["Item"]


def test_a_saved_graph_comes_back_the_same(tmp_path: Path) -> None:
    graph = hetero.build(tables())
    hetero.save(graph, tmp_path / "g.pt")
    back = hetero.load(tmp_path / "g.pt")
    assert back.vocabularies == graph.vocabularies
    assert back.target == graph.target
    assert back.data.validate()
    assert back.data.edge_types == graph.data.edge_types
    for one, other in zip(graph.data.stores, back.data.stores, strict=True):
        assert list(one.keys()) == list(other.keys())
        for name, value in one.items():
            torch.testing.assert_close(other[name], value, rtol=0, atol=0, equal_nan=True)
    plain = torch.load(tmp_path / "g.pt", weights_only=False)
    assert plain.vocabularies["User"] == ["b", "a"]
    assert list(tmp_path.iterdir()) == [tmp_path / "g.pt"]


def test_files_that_are_no_export(tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match="there is no file"):
        hetero.load(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(GraphrecError, match="is not a graph that graphrec exported"):
        hetero.load(tmp_path / "text.pt")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "g.pt"
    target.write_text("old")
    (tmp_path / "full").symlink_to(FULL)
    monkeypatch.setattr(atomic_write, "partial_name", lambda _name: "full")
    with pytest.raises(GraphrecError, match="cannot write .*: No space left on device; free some space"):
        hetero.save(hetero.build(tables()), target)
    assert target.read_text() == "old"


def test_interactions_have_weight_and_time() -> None:
    found = hetero.interactions(hetero.build(tables()))
    assert found.weight is not None
    assert found.time is not None
    columns = (found.user_index, found.item_index, found.weight, found.time)
    rows = {tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)}
    assert rows == {(1, 2, 0.5, 30), (0, 0, 5.0, 10), (1, 0, 3.5, 20)}
    assert (found.num_users, found.num_items) == (2, 3)


def test_a_behaviour_that_is_not_there() -> None:
    assert hetero.build(tables(), "TAGGED").target[1] == "TAGGED"
    with pytest.raises(UnknownNameError, match="there is no behaviour 'RATE'; did you mean RATED"):
        hetero.build(tables(), "RATE")
    with pytest.raises(DataError, match="no relationships from User to Item.*graphrec load"):
        hetero.build(GraphTables(tables().nodes, ()))
