"""A small graph made by hand with every kind of relation, random ones like it, and edges planted in them."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from graphrec.evaluation.assembly import EdgeArrays, assemble
from graphrec.hetero import HeteroGraph, build
from graphrec.schema import EdgeType, NodeType, Triple
from graphrec.tables import EdgeTable, GraphTables, NodeTable

RATED: Triple = ("User", "RATED", "Item")
REV_RATED: Triple = ("Item", "rev_RATED", "User")
VIEWED: Triple = ("User", "VIEWED", "Item")
REV_VIEWED: Triple = ("Item", "rev_VIEWED", "User")
TAGGED: Triple = ("User", "TAGGED", "Item")
BOUGHT_BY: Triple = ("Item", "BOUGHT_BY", "User")
FOLLOWS: Triple = ("User", "FOLLOWS", "User")
HAS_TAG: Triple = ("Item", "HAS_TAG", "Tag")
REV_HAS_TAG: Triple = ("Tag", "rev_HAS_TAG", "Item")
IN_LIST: Triple = ("Item", "IN_LIST", "List")
LIKE: Triple = ("Item", "LIKE", "Item")
RECOMMENDED: Triple = ("User", "RECOMMENDED", "Item")
SIMILAR: Triple = ("Item", "SIMILAR", "Item")

Rows = Sequence[tuple[str | int, ...]]


def edge_table(triple: Triple, names: Sequence[str], rows: Rows) -> EdgeTable:
    frame = pd.DataFrame(list(rows), columns=["source_id", "target_id", *names])
    text = {name: "str" for name in ("source_id", "target_id", "tag") if name in frame}
    numbers = {name: "int64" for name in names if name != "tag"}
    return EdgeTable(EdgeType(*triple, tuple(names), key=None), frame.astype({**text, **numbers}))


def node_table(label: str, ids: Sequence[str]) -> NodeTable:
    return NodeTable(NodeType(label), pd.DataFrame({"id": pd.Series(list(ids), dtype="str")}))


def by_hand() -> HeteroGraph:
    """Ratings at 10 to 90 (80 and 90 will be test); views, tags and ties before and after; bob rated w twice."""
    rated = [("ann", "w", 10), ("ann", "x", 20), ("bob", "w", 30), ("bob", "y", 40), ("cat", "x", 50), ("bob", "x", 60),
             ("ann", "y", 80), ("cat", "w", 90), ("bob", "w", 95)]  # fmt: skip
    return build(
        GraphTables(
            (
                node_table("User", ["ann", "bob", "cat"]),
                node_table("Item", ["w", "x", "y"]),
                node_table("Tag", ["dark", "new"]),
                node_table("List", ["best"]),
            ),
            (
                edge_table(RATED, ["timestamp"], rated),
                edge_table(VIEWED, ["timestamp"], [("ann", "x", 15), ("cat", "w", 70), ("cat", "y", 85)]),
                edge_table(
                    TAGGED, ["tag", "timestamp"], [("ann", "w", "dark", 12), ("bob", "y", "new", 85),
                                                  ("cat", "w", "dark", 88), ("bob", "x", "new", 25)]
                ),
                edge_table(BOUGHT_BY, [], [("x", "ann")]),
                edge_table(FOLLOWS, ["timestamp"], [("ann", "bob", 5), ("bob", "cat", 99)]),
                # y is called new by bob alone, after the cut; that x is dark no event says
                edge_table(HAS_TAG, [], [("w", "dark"), ("x", "new"), ("y", "new"), ("x", "dark")]),
                edge_table(IN_LIST, ["timestamp"], [("w", "best", 40), ("y", "best", 80)]),
                edge_table(LIKE, [], [("w", "x")]),
                edge_table(RECOMMENDED, [], [("ann", "y")]),
                edge_table(SIMILAR, [], [("x", "y")]),
            ),
        ),
        "RATED",
    )  # fmt: skip


def at_random(rng: np.random.Generator, timed: bool) -> HeteroGraph:
    """Six users, seven items and three tags with ids by number: ratings (some repeated), views, tags, ties and lists;
    without times unless `timed`."""
    sizes = {"User": 6, "Item": 7, "Tag": 3, "List": 1}

    def some(triple: Triple, number: int, times: bool = timed) -> EdgeArrays:
        source, target = (rng.integers(sizes[label], size=number) for label in (triple[0], triple[2]))
        properties: dict[str, npt.NDArray[Any]] = {"timestamp": rng.integers(0, 40, size=number)} if times else {}
        if triple == TAGGED:
            properties["tag"] = rng.integers(3, size=number).astype(str).astype(object)
        return EdgeArrays(triple, source, target, properties)

    plain = [some(triple, number, times=False) for triple, number in ((BOUGHT_BY, 5), (HAS_TAG, 12), (LIKE, 4))]
    dated = [some(triple, number) for triple, number in ((VIEWED, 20), (TAGGED, 12), (FOLLOWS, 6), (IN_LIST, 4))]
    return assemble(sizes, [some(RATED, 30), *dated, *plain], RATED)


def plant(graph: HeteroGraph, triple: Triple, source: str, target: str, time: int | None = None) -> HeteroGraph:
    """The graph with one more edge of one type (its reverse is not planted), with a time where it is given."""
    data = copy.copy(graph.data)
    store = data[triple]
    ends = [graph.vocabularies[triple[0]].find(source), graph.vocabularies[triple[2]].find(target)]
    edge = torch.tensor(ends).reshape(2, 1)
    if "edge_index" not in store:
        store.edge_index = torch.empty((2, 0), dtype=torch.int64)
    if time is not None and "timestamp" not in store:
        store.timestamp = torch.full((store.edge_index.shape[1],), float("nan"), dtype=torch.float64)
    for name, value in list(store.items()):
        if name == "edge_index":
            store[name] = torch.cat([value, edge], dim=1)
            continue
        new = (float("nan") if value.is_floating_point() else -1) if name != "timestamp" or time is None else time
        if name == "timestamp" and time is None:
            value = value.double()
            new = float("nan")
        store[name] = torch.cat([value, torch.tensor([new], dtype=value.dtype)])
    return HeteroGraph(data, graph.vocabularies, graph.target)
