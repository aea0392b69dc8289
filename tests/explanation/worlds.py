"""A small graph with every kind of relation, as tables; ids and titles are as ugly as they may be."""

import numpy as np
import pandas as pd

from graphrec import hetero
from graphrec.interactions import Interactions
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.relations import find_origins
from graphrec.runs import TrainedRun, describe
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source

SIZES = {"User": 14, "Item": 16, "Genre": 4, "Town": 3}
UGLY = {"User": "O'Hara \\{}", "Item": 'a "quoted" `item`', "Genre": "Rock\n& Roll", "Town": "Zürich"}
TAGS = ("it's", "Größe", "plain")
EDGES = {
    "PURCHASED": ("User", "Item", 0.3),
    "VIEWED": ("User", "Item", 0.3),
    "FRIEND": ("User", "User", 0.15),
    "FOLLOWS": ("User", "User", 0.15),
    "IN_GENRE": ("Item", "Genre", 0.4),
    "LIVES_IN": ("User", "Town", 0.4),
    "ALSO_BOUGHT": ("Item", "Item", 0.1),
    "TAGGED": ("User", "Item", 0.12),
}

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


def tables() -> GraphTables:
    """Random edges of every kind; the last user did nothing, and nobody met the last item."""
    rng = np.random.default_rng(5)
    ids = {label: [UGLY[label], *(f"{label}{k}" for k in range(1, size))] for label, size in SIZES.items()}
    nodes = tuple(
        NodeTable(
            NodeType(label, ("title",)), pd.DataFrame({"id": names, "title": [f"The {n}" for n in names]}, dtype="str")
        )
        for label, names in ids.items()
    )
    found = []
    for relation, (source, target, share) in EDGES.items():
        pairs = np.argwhere(rng.random((SIZES[source], SIZES[target])) < share)
        if relation in ("PURCHASED", "VIEWED", "TAGGED"):
            pairs = pairs[(pairs[:, 0] < SIZES["User"] - 1) & (pairs[:, 1] < SIZES["Item"] - 1)]
        if source == target:
            pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        ends = {"source_id": [ids[source][k] for k in pairs[:, 0]], "target_id": [ids[target][k] for k in pairs[:, 1]]}
        if relation == "TAGGED":
            ends["tag"] = [TAGS[k] for k in rng.integers(len(TAGS), size=len(pairs))]
        kind = EdgeType(source, relation, target, ("tag",) if "tag" in ends else (), ("tag",) if "tag" in ends else ())
        found.append(EdgeTable(kind, pd.DataFrame(ends, dtype="str")))
    return GraphTables(nodes, tuple(found), (Source("world"),))


def run_of(graph: hetero.HeteroGraph, model: GraphFilter) -> TrainedRun:
    """A run of a model fitted here to the graph."""
    pairs = hetero.interactions(graph)
    model.fit(graph, pairs, np.random.default_rng(0))
    seen = Interactions(pairs.user_index, pairs.item_index, pairs.num_users, pairs.num_items)
    run = describe("graph_filter", model, graph.target, {}, 0.0)
    return TrainedRun(run, model, graph.users, graph.items, seen, find_origins(graph))
