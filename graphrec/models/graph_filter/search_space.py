"""Candidate configs and the search space of graph_filter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.relations import Relations, build_relations

#: Number of paths per item for sparse data, where paths matter more than the spectrum.
MANY = 400

USER_EXPONENTS = (0.2, 0.35, 0.5)

OFFSETS = (0.0, 1.0, 3.0, 10.0, 30.0)


def candidates(graph: HeteroGraph) -> list[GraphFilterConfig]:
    """The default and a degree offset, then other responses and ranks, weights of the graph's relations, user and item
    exponents, some of them those of RP3β with paths alone.

    The first ten differ in kind, because a small budget tries no more. Configs that share a decomposition follow each
    other, except single ones. Configs that differ only in a rank above the graph's maximum appear once.
    """
    default, around = GraphFilterConfig(), build_relations(graph)
    found = [
        default,
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1, degree_offset=10.0, rank=256, path_weight=8.0),
        GraphFilterConfig(plateau=1.05, neighbours=MANY),
        GraphFilterConfig(rank=256),
        GraphFilterConfig(rank=64, path_weight=8.0),
        *(replace(default, **change) for change in _relation_changes(around)),
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1, rank=256, path_weight=8.0),
        GraphFilterConfig(0.35, 0.5, 0.2, 0.1),
        GraphFilterConfig(degree_offset=10.0),
        GraphFilterConfig(0.5, 0.5, 0.5, 0.3, rank=0, neighbours=MANY),
        GraphFilterConfig(0.2, 0.5, 0.0, 0.0, 10.0, rank=512, path_weight=10.0, neighbours=MANY, sharpening=4.0),
        GraphFilterConfig(0.2, 0.5, 0.0, 0.0, rank=512, path_weight=10.0, neighbours=MANY, sharpening=4.0),
        GraphFilterConfig(0.2, 0.5, 0.0, 0.0, rank=512, path_weight=8.0, neighbours=MANY),
        GraphFilterConfig(0.2, 0.5, -0.1, -0.1, rank=0, neighbours=MANY),
        GraphFilterConfig(0.5),
        GraphFilterConfig(0.5, rank=256),
        GraphFilterConfig(0.35, 0.5, 0.0, 0.0, path_weight=6.0, neighbours=MANY),
        GraphFilterConfig(rank=64),
    ]
    users, items = (graph.data[label].num_nodes for label in (graph.target[0], graph.target[2]))
    rows = users + sum(
        values.shape[1] for values in around.item_attributes.values()
    )  # an attribute value acts as a user
    first: dict[GraphFilterConfig, GraphFilterConfig] = {}
    for config in found:
        first.setdefault(_allowed(config, min(rows, items)), config)
    return [*first.values()]


def _allowed(config: GraphFilterConfig, size: int) -> GraphFilterConfig:
    """The config with its rank limited to that of a matrix with `size` rows or columns, whichever are fewer."""
    return replace(config, rank=min(config.rank, int(config.rank_share * size) or 1))


def space(graph: HeteroGraph) -> Space:
    """The ranges of all scalars that matter for a graph; single behaviours have weights such as `weights.VIEWED`."""
    around = build_relations(graph)
    found: dict[str, Range | tuple[object, ...]] = {
        "user_exponent": USER_EXPONENTS,
        "source_exponent": Range(-0.2, 0.6),
        "target_exponent": Range(-0.2, 0.6),
        "degree_offset": OFFSETS,
        "rank": (0, 64, 128, 256, 512, 768),
        "plateau": Range(0.9, 1.8),
        "path_weight": Range(0.5, 20.0, log=True),
        "neighbours": (100, 200, MANY),
        "sharpening": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    }
    few, many = (0.0, 0.1, 0.3, 1.0), (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    found |= {f"weights.{name}": few for name in around.behaviours}
    if around.behaviours:
        found["revisit"] = (0.0, 0.5, 1.0, 2.0)
    kinds: Mapping[str, tuple[Mapping[str, object], tuple[object, ...]]] = {
        "social_weight": (around.social, many),
        "attribute_weight": (around.item_attributes, few),
        "user_attribute_weight": (around.user_attributes, many),
        "item_relation_weight": (around.item_items, few),
    }
    found |= {name: values for name, (there, values) in kinds.items() if there}
    if graph.data[graph.target].get("timestamp") is not None:
        found["half_life"] = (0.0, 30.0, 180.0, 720.0)
    return found


def _relation_changes(around: Relations) -> list[dict[str, Any]]:  # fields of the config
    """For each kind of relation that the graph has: without it, and with a much larger weight."""
    kinds: Mapping[str, tuple[Mapping[str, object], float]] = {
        "behaviour_weight": (around.behaviours, 1.0),
        "social_weight": (around.social, 0.1),
        "attribute_weight": (around.item_attributes, 0.4),
        "user_attribute_weight": (around.user_attributes, 0.1),
        "item_relation_weight": (around.item_items, 0.5),
    }
    changes = [{name: value} for name, (there, much) in kinds.items() if there for value in (0.0, much)]
    if around.behaviours:  # shops differ in whether users return to items that they only viewed
        changes += [{"behaviour_weight": weight, "revisit": 0.0} for weight in (0.3, 0.1, 1.0)]
    return changes
