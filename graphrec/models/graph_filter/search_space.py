"""Candidate configs and the search space of graph_filter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphrec.hetero import HeteroGraph
from graphrec.linalg.item_regression import WOODBURY_RATIO
from graphrec.models.base import Range, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.kernel import MAX_RIDGE_ITEMS
from graphrec.relations import Relations, build_relations

#: Value of `neighbours` for sparse data, in which paths matter more than the spectrum.
MANY_NEIGHBOURS = 400

USER_EXPONENTS = (0.2, 0.35, 0.5)

OFFSETS = (0.0, 1.0, 3.0, 10.0, 30.0)

RIDGES = (50.0, 100.0, 200.0, 400.0, 1000.0, 3000.0)

#: Maximum number of multiplications of a ridge regression in the search, that of 8,000 items; it takes seconds.
MAX_RIDGE_WORK = 8000**3

#: The default where a ridge takes seconds. The vectors have little weight beside the coefficients; they are there for
#: similar items and for publishing.
RIDGE = GraphFilterConfig(0.2, 0.25, 0.25, 0.05, rank=64, path_weight=100.0, ridge=400.0, neighbours=MANY_NEIGHBOURS)

#: The default for other graphs.
OFFSET = GraphFilterConfig(degree_offset=10.0)


def candidates(graph: HeteroGraph) -> list[GraphFilterConfig]:
    """The default for a graph, then other ridges, offsets, responses and ranks, weights of the graph's relations, and
    user and item exponents, some of which make the model RP3β.

    The first ten differ most, because a small budget tries no more. Configs that share a decomposition are mostly
    neighbours. Configs that differ only in a rank above the graph's maximum appear once.
    """
    graph_relations = build_relations(graph)
    rows, items = _count_rows_and_items(graph, graph_relations)
    has_ridge = _allows_ridge(rows, items, bool(graph_relations.item_items))
    default = RIDGE if has_ridge else OFFSET
    ridges = [
        replace(RIDGE, path_weight=6.0),
        replace(RIDGE, target_exponent=0.25),
        replace(RIDGE, path_weight=6.0, ridge=1000.0),
        replace(RIDGE, ridge=1000.0),
        replace(RIDGE, ridge=150.0),
        replace(RIDGE, item_exponent=0.0, source_exponent=0.0, target_exponent=0.0),
    ]
    few, more = (ridges[:2], ridges[2:]) if has_ridge else ([], [])
    configs = [
        default,
        *few,
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1, degree_offset=10.0, rank=256, path_weight=8.0),
        GraphFilterConfig(),
        *(replace(default, **change) for change in _relation_changes(graph_relations)),
        *more,
        GraphFilterConfig(
            0.35, 0.5, 0.3, 0.2, 3.0, rank=512, path_weight=5.0, neighbours=MANY_NEIGHBOURS, sharpening=2.0
        ),
        GraphFilterConfig(plateau=1.05, neighbours=MANY_NEIGHBOURS),
        GraphFilterConfig(rank=256),
        GraphFilterConfig(rank=64, path_weight=8.0),
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1, rank=256, path_weight=8.0),
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1),
        OFFSET,
        GraphFilterConfig(0.5, 0.5, 0.5, 0.3, rank=0, neighbours=MANY_NEIGHBOURS),
        GraphFilterConfig(
            0.2, 0.5, 0.0, 0.0, 10.0, rank=512, path_weight=10.0, neighbours=MANY_NEIGHBOURS, sharpening=4.0
        ),
        GraphFilterConfig(0.2, 0.5, 0.0, 0.0, rank=512, path_weight=10.0, neighbours=MANY_NEIGHBOURS, sharpening=4.0),
        GraphFilterConfig(0.2, 0.5, 0.0, 0.0, rank=512, path_weight=8.0, neighbours=MANY_NEIGHBOURS),
        GraphFilterConfig(0.2, 0.5, -0.1, -0.1, rank=0, neighbours=MANY_NEIGHBOURS),
        GraphFilterConfig(0.5),
        GraphFilterConfig(0.5, rank=256),
        GraphFilterConfig(0.35, 0.5, 0.0, 0.0, path_weight=6.0, neighbours=MANY_NEIGHBOURS),
        GraphFilterConfig(rank=64),
    ]
    unique: dict[GraphFilterConfig, GraphFilterConfig] = {}
    for config in configs:
        unique.setdefault(_limit_rank(config, min(rows, items)), config)
    return [*unique.values()]


def _count_rows_and_items(graph: HeteroGraph, graph_relations: Relations) -> tuple[int, int]:
    """The shape of the stacked matrix, in which an attribute value acts as a user."""
    users, items = (graph.data[label].num_nodes for label in (graph.target[0], graph.target[2]))
    return users + sum(values.shape[1] for values in graph_relations.item_attributes.values()), items


def _allows_ridge(rows: int, items: int, has_item_relations: bool) -> bool:
    """Whether a fit accepts a ridge for these items, and its regression on so many rows takes seconds."""
    by_rows = not has_item_relations and WOODBURY_RATIO * rows < items
    return items <= MAX_RIDGE_ITEMS and (rows if by_rows else items) * items**2 <= MAX_RIDGE_WORK


def _limit_rank(config: GraphFilterConfig, size: int) -> GraphFilterConfig:
    """The config with its rank limited to the maximum for a matrix whose shorter side is `size`."""
    return replace(config, rank=min(config.rank, int(config.rank_share * size) or 1))


def space(graph: HeteroGraph) -> Space:
    """The ranges of all settings that matter for a graph; `weights.VIEWED` is the weight of the behaviour VIEWED."""
    graph_relations = build_relations(graph)
    has_ridge = _allows_ridge(*_count_rows_and_items(graph, graph_relations), bool(graph_relations.item_items))
    ranges: dict[str, Range | tuple[object, ...]] = {
        "user_exponent": USER_EXPONENTS,
        "source_exponent": Range(-0.2, 0.6),
        "target_exponent": Range(-0.2, 0.6),
        "degree_offset": OFFSETS,
        "rank": (0, 64, 128, 256, 512, 768),
        "plateau": Range(0.9, 1.8),
        "path_weight": Range(0.5, 200.0 if has_ridge else 20.0, log=True),
        "neighbours": (100, 200, MANY_NEIGHBOURS),
        "sharpening": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    }
    few, many = (0.0, 0.1, 0.3, 1.0), (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    ranges |= {f"weights.{name}": few for name in graph_relations.behaviours}
    if graph_relations.behaviours:
        ranges["revisit"] = (0.0, 0.5, 1.0, 2.0)
    kinds: Mapping[str, tuple[Mapping[str, object], tuple[object, ...]]] = {
        "social_weight": (graph_relations.social, many),
        "attribute_weight": (graph_relations.item_attributes, few),
        "user_attribute_weight": (graph_relations.user_attributes, many),
        "item_relation_weight": (graph_relations.item_items, few),
    }
    ranges |= {name: values for name, (present, values) in kinds.items() if present}
    if has_ridge:
        ranges["ridge"] = (0.0, *RIDGES)
    if graph.data[graph.target].get("timestamp") is not None:
        ranges["half_life"] = (0.0, 30.0, 180.0, 720.0)
    return ranges


def _relation_changes(graph_relations: Relations) -> list[dict[str, Any]]:  # fields of the config
    """For each kind of relation in the graph: its weight set to zero, and to a much larger value."""
    kinds: Mapping[str, tuple[Mapping[str, object], float]] = {
        "behaviour_weight": (graph_relations.behaviours, 1.0),
        "social_weight": (graph_relations.social, 0.1),
        "attribute_weight": (graph_relations.item_attributes, 0.4),
        "user_attribute_weight": (graph_relations.user_attributes, 0.1),
        "item_relation_weight": (graph_relations.item_items, 0.5),
    }
    changes = [{name: value} for name, (present, large) in kinds.items() if present for value in (0.0, large)]
    if graph_relations.behaviours:  # in some shops users return to items that they viewed, in others they do not
        changes += [{"behaviour_weight": weight, "revisit": 0.0} for weight in (0.3, 0.1, 1.0)]
    return changes
