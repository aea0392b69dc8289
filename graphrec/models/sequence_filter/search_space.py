"""Candidate configs and the search space of sequence_filter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.recency import has_days
from graphrec.models.sequence_filter.config import SequenceFilterConfig
from graphrec.relations import build_relations

#: Maximum number of items times memories of a ridge in the search: it takes half a minute.
MAX_RIDGE_SIZE = 12_000

#: Minimum number of events for each item from which a ridge is tried; it needs dense histories.
MIN_EVENTS = 50

#: Number of events above which a dense graph has no changes of the sparse transitions as candidates. On MovieLens 1M
#: the search took nine minutes of processor time with them, and chose a ridge.
MANY_EVENTS = 500_000

#: The default for sparse histories, in which most items have few events.
SPARSE = SequenceFilterConfig()

#: The default for dense histories.
DENSE = SequenceFilterConfig("0.3 0.8 0.97", decay=0.3, ridge=1000.0, ridge_exponent=0.0)


def candidates(graph: HeteroGraph) -> list[SequenceFilterConfig]:
    """The default for a graph, then memories, gaps, exponents and relations that differ most from it."""
    changes: list[dict[str, Any]] = [  # fields of the config
        {"memories": "0.8"},
        {"degree_offset": 3.0},
        {"degree_offset": 30.0},
        {"decay": 0.5},
        {"memories": "0.3", "decay": 0.3},
        {"backward": 0.6},
        {"source_exponent": 0.5, "target_exponent": 0.3},
        {"memories": "0.95"},
    ]
    relations = build_relations(graph)
    if relations.item_attributes or relations.item_items:
        changes += [
            {"attribute_weight": weight, "item_relation_weight": weight, "onward": onward}
            for weight, onward in ((0.0, 0.0), (0.4, 0.0), (0.8, 1.0))
        ]
    if relations.behaviours:
        changes += [{"behaviour_weight": weight} for weight in (0.0, 0.1, 1.0)]
    if relations.social:
        changes += [{"social_weight": weight} for weight in (0.05, 0.2)]
    sparse = [replace(SPARSE, **change) for change in changes]
    if not _allows_ridge(graph):
        return [SPARSE, *sparse]
    dense = [
        replace(DENSE, target_exponent=0.25),
        replace(DENSE, transition_weight=0.3),
        replace(DENSE, ridge=300.0),
    ]
    if graph.data[graph.target].num_edges > MANY_EVENTS:
        sparse = []
    return [DENSE, *dense, SPARSE, *sparse]


def _allows_ridge(graph: HeteroGraph) -> bool:
    """Whether the target behaviour has times and is dense, and a ridge on it takes less than a minute."""
    edges, num_items = graph.data[graph.target], graph.data[graph.target[2]].num_nodes
    if edges.get("timestamp") is None or not num_items:
        return False
    return bool(num_items * len(DENSE.decays) <= MAX_RIDGE_SIZE and edges.num_edges >= MIN_EVENTS * num_items)


def space(graph: HeteroGraph) -> Space:
    """The ranges of the settings that matter for a graph; `weights.VIEWED` is the weight of the behaviour VIEWED, and
    `attribute_weights.HAS_BRAND` that of the attribute."""
    relations = build_relations(graph)
    ranges: dict[str, Range | tuple[object, ...]] = {
        "memories": ("0.3", "0.5", "0.65", "0.8", "0.9", "0.95", "0.97"),
        "decay": (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95),
        "backward": (0.0, 0.1, 0.3, 0.5, 0.7, 1.0),
        "source_exponent": Range(0.2, 1.0),
        "target_exponent": Range(0.0, 0.5),
        "degree_offset": (0.0, 1.0, 3.0, 10.0, 20.0, 40.0),
        "neighbours": (100, 200, 400),
    }
    if _allows_ridge(graph):
        dense: Mapping[str, Range | tuple[object, ...]] = {
            "memories": ("0.3", "0.5", "0.8", "0.95", "0.5 0.95", "0.3 0.8 0.97", "0.0 0.5 0.85 0.98"),
            "ridge": (0.0, 100.0, 300.0, 1000.0, 3000.0),
            "transition_weight": (0.0, 0.1, 0.3, 1.0, 3.0),
        }
        ranges |= dense
    if relations.item_attributes or relations.item_items:
        ranges["onward"] = (0.0, 0.3, 0.6, 1.0, 1.5)
    weights = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2)
    ranges |= {f"attribute_weights.{name}": weights for name in relations.item_attributes}
    ranges |= {f"item_relation_weights.{name}": weights for name in relations.item_items}
    ranges |= {f"weights.{name}": weights for name in relations.behaviours}
    if relations.social:
        ranges["social_weight"] = (0.0, 0.02, 0.05, 0.1, 0.3)
    if has_days(graph):
        ranges["half_life"] = (0.0, 1.0, 7.0, 30.0, 180.0)
        ranges["transition_half_life"] = (0.0, 1.0, 7.0, 30.0, 180.0)
    return ranges
