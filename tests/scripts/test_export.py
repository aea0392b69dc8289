"""Exports with and without reverse edges, and the splits of docs/export.md, which must not leak."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

from graphrec import hetero
from graphrec.evaluation.preparation import prepare_split, split_graph
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable

PAGE = Path(__file__).parent.parent.parent / "docs" / "export.md"
FORWARD, REVERSE = ("User", "PURCHASED", "Item"), ("Item", "rev_PURCHASED", "User")


@pytest.fixture(scope="module")
def graph() -> hetero.HeteroGraph:
    """Twenty users, fifteen items, half of all pairs, and friends."""
    users, items = [f"u{n}" for n in range(20)], [f"i{n}" for n in range(15)]
    pairs = [(u, i) for u in range(20) for i in range(15) if (u * 7 + i * 3) % 2]
    purchases = pd.DataFrame(
        {"source_id": [f"u{u}" for u, _ in pairs], "target_id": [f"i{i}" for _, i in pairs], "count": 1}
    )
    friends = pd.DataFrame({"source_id": users[:-1], "target_id": users[1:]})
    return hetero.build(
        GraphTables(
            (
                NodeTable(NodeType("User"), pd.DataFrame({"id": users})),
                NodeTable(NodeType("Item"), pd.DataFrame({"id": items})),
            ),
            (
                EdgeTable(EdgeType(*FORWARD, ("count",)), purchases),
                EdgeTable(EdgeType("User", "FRIEND", "User"), friends),
            ),
        )
    )


def pairs_of(edge_index: torch.Tensor) -> set[tuple[int, int]]:
    """The pairs of an edge_index [2, n]."""
    return {(int(first), int(second)) for first, second in edge_index.T.tolist()}


@pytest.mark.parametrize("place", [0, 1], ids=["with reverse edges", "without"])
def test_the_splits_of_the_page_do_not_leak(
    graph: hetero.HeteroGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    hetero.save(graph, tmp_path / "graph.pt")
    hetero.save(hetero.drop_reverse_types(graph), tmp_path / "forward.pt")
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[place]
    names: dict[str, HeteroData] = {}
    exec(code, names)
    held = names["test"][FORWARD]
    wanted = pairs_of(held.edge_label_index[:, held.edge_label == 1])
    assert len(wanted) == 15
    for part in (names["train"], names["validation"], names["test"]):
        forward, reverse = pairs_of(part[FORWARD].edge_index), pairs_of(part[REVERSE].edge_index)
        assert reverse == {(item, user) for user, item in forward}
        assert not wanted & forward
        assert not [triple for triple in part.edge_types if "rev_rev" in triple[1]]


def test_without_reverse_each_edge_is_there_once_and_the_input_is_unchanged(graph: hetero.HeteroGraph) -> None:
    found = hetero.drop_reverse_types(graph)
    assert found.data.edge_types == [FORWARD, ("User", "FRIEND", "User")]
    assert found.data[FORWARD].edge_index.equal(graph.data[FORWARD].edge_index)
    assert REVERSE in graph.data.edge_types
    again = hetero.drop_reverse_types(found)
    assert again.data.edge_types == found.data.edge_types


def test_a_type_whose_name_begins_with_rev_is_no_reverse(graph: hetero.HeteroGraph) -> None:
    data = HeteroData()
    for label in ("User", "Item"):
        data[label].num_nodes = 2
    for triple in (FORWARD, REVERSE, ("User", "rev_iewed", "Item")):
        data[triple].edge_index = torch.zeros(2, 1, dtype=torch.int64)
    found = hetero.drop_reverse_types(hetero.HeteroGraph(data, graph.vocabularies, FORWARD))
    assert found.data.edge_types == [FORWARD, ("User", "rev_iewed", "Item")]


def test_a_graph_without_reverse_edges_is_measured_like_the_other(graph: hetero.HeteroGraph) -> None:
    for each in (graph, hetero.drop_reverse_types(graph)):
        (parts,) = split_graph(each, "random", np.random.default_rng(0))
        assert prepare_split(each, parts, "random").audit.passed
