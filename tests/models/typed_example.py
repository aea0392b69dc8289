"""A graph with every kind of relation, small enough for its formulas on dense matrices."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.hetero import HeteroGraph, interactions
from graphrec.hetero import build as build_graph
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable

USERS, ITEMS, GENRES = 12, 15, 4
DAY = 86_400
Dense = npt.NDArray[np.float64]

FULL = GraphFilterConfig(
    0.35,
    0.5,
    0.3,
    0.2,
    rank=6,
    rank_share=1.0,
    neighbours=0,
    behaviour_weight=0.4,
    social_weight=0.3,
    attribute_weight=0.5,
    user_attribute_weight=0.2,
    item_relation_weight=0.6,
)


def pairs(rng: np.random.Generator, rows: int, columns: int, share: float) -> npt.NDArray[np.int64]:
    return np.argwhere(rng.random((rows, columns)) < share)


def edges(kind: EdgeType, found: npt.NDArray[np.int64], **columns: object) -> EdgeTable:
    ends = {
        "source_id": [f"{kind.source}{i:02d}" for i in found[:, 0]],
        "target_id": [f"{kind.target}{i:02d}" for i in found[:, 1]],
    }
    return EdgeTable(kind, pd.DataFrame({**ends, **columns}).astype({"source_id": "str", "target_id": "str"}))


def random_parts() -> Mapping[str, npt.NDArray[np.int64]]:
    """Random pairs for each relation; the last user bought nothing, the last item was bought and viewed by nobody."""
    rng = np.random.default_rng(4)
    found = {
        "PURCHASED": pairs(rng, USERS - 1, ITEMS - 1, 0.3),
        "VIEWED": pairs(rng, USERS - 1, ITEMS - 1, 0.3),
        "FOLLOWS": pairs(rng, USERS, USERS, 0.2),
        "IN_GENRE": np.concatenate([pairs(rng, ITEMS - 1, GENRES, 0.4), [[ITEMS - 1, 0], [ITEMS - 1, 2]]]),
        "LIVES_IN": pairs(rng, USERS, 3, 0.4),
        "ALSO_BOUGHT": pairs(rng, ITEMS - 1, ITEMS - 1, 0.1),
    }
    found["ALSO_BOUGHT"] = found["ALSO_BOUGHT"][found["ALSO_BOUGHT"][:, 0] < found["ALSO_BOUGHT"][:, 1]]
    return found


def graph_of_parts(parts: Mapping[str, npt.NDArray[np.int64]]) -> HeteroGraph:
    """Users, items, genres and towns with these pairs; purchases and views are a day apart in their order."""
    sizes = {"User": USERS, "Item": ITEMS, "Genre": GENRES, "Town": 3}
    nodes = tuple(
        NodeTable(
            NodeType(label), pd.DataFrame({"id": pd.Series([f"{label}{i:02d}" for i in range(size)], dtype="str")})
        )
        for label, size in sizes.items()
    )
    ends = {
        "PURCHASED": ("User", "Item"),
        "VIEWED": ("User", "Item"),
        "FOLLOWS": ("User", "User"),
        "IN_GENRE": ("Item", "Genre"),
        "LIVES_IN": ("User", "Town"),
        "ALSO_BOUGHT": ("Item", "Item"),
    }
    tables = []
    for name, (source, target) in ends.items():
        time = {"timestamp": np.arange(len(parts[name])) * DAY} if target == "Item" and source == "User" else {}
        kind = EdgeType(source, name, target, tuple(time))
        tables.append(edges(kind, parts[name], **time))
    return build_graph(GraphTables(nodes, tuple(tables), ()))


def fitted(graph: HeteroGraph, config: GraphFilterConfig) -> GraphFilter:
    model = GraphFilter(config)
    model.fit(graph, interactions(graph), np.random.default_rng(0))
    return model


def matrix(found: npt.NDArray[np.int64], rows: int, columns: int) -> Dense:
    dense = np.zeros((rows, columns))
    dense[found[:, 0], found[:, 1]] = 1.0
    return dense
