"""Candidate configs and the search space of graph_filter."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from graphrec.hetero import HeteroGraph
from graphrec.linalg.item_regression import WOODBURY_RATIO
from graphrec.models.base import Range, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.regression import MAX_RIDGE_ITEMS
from graphrec.relations import Origin, find_origins
from graphrec.schema import Triple
from graphrec.vocabulary import IndexArray

#: Value of `neighbours` for sparse data, in which paths matter more than the spectrum.
MANY_NEIGHBOURS = 400

USER_EXPONENTS = (0.2, 0.35, 0.5)

OFFSETS = (0.0, 1.0, 3.0, 10.0, 30.0)

RIDGES = (50.0, 100.0, 200.0, 400.0, 1000.0, 3000.0)

#: Weights of another behaviour in the default and, besides 0, in the search.
BEHAVIOUR_WEIGHTS = (0.1, 0.3, 1.0)

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
    facts = _Facts.of(graph)
    has_ridge = facts.allows_ridge()
    default = replace(RIDGE if has_ridge else OFFSET, **_weigh_behaviours(graph))
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
        *(replace(default, **change) for change in _relation_changes(facts)),
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
        unique.setdefault(_limit_rank(config, min(facts.rows, facts.items)), config)
    return [*unique.values()]


@dataclass(frozen=True)
class _Facts:
    """What candidates and ranges depend on, read from edges without building matrices.

    rows, items: the shape of the stacked matrix, in which an attribute value acts as a user.
    known_items: number of items with interactions.
    relations: the names of the relations by their field in Relations.
    """

    rows: int
    items: int
    known_items: int
    relations: dict[str, list[str]]

    @classmethod
    def of(cls, graph: HeteroGraph) -> Self:
        """The facts of a graph."""
        users, items = (graph.data[label].num_nodes for label in (graph.target[0], graph.target[2]))
        origins = find_origins(graph)
        is_known = np.zeros(items, dtype=bool)
        for triple in (graph.target, *(origin.triple for origin in origins if origin.kind == "behaviours")):
            is_known[graph.data[triple].edge_index[1].numpy()] = True
        relations: dict[str, list[str]] = {}
        for origin in origins:
            relations.setdefault(origin.kind, []).append(origin.name)
        values = sum(_count_values(graph, origin) for origin in origins if origin.kind == "item_attributes")
        return cls(users + values, items, int(is_known.sum()), relations)

    def allows_ridge(self) -> bool:
        """Whether a fit accepts a ridge for these items, and its regression on so many rows takes seconds.

        The graph of a search has fewer known items than that of the fit after it, which must not be refused: at most
        twice as many are expected there.
        """
        known = self.known_items
        by_rows = "item_items" not in self.relations and WOODBURY_RATIO * self.rows < known
        work = (self.rows if by_rows else known) * known**2
        return min(self.items, 2 * known) <= MAX_RIDGE_ITEMS and work <= MAX_RIDGE_WORK


def _count_values(graph: HeteroGraph, origin: Origin) -> int:
    """The number of values of an attribute relation."""
    if origin.text:
        return len(origin.values or ())
    (label,) = {origin.triple[0], origin.triple[2]} - {graph.target[0], graph.target[2]}
    return int(graph.data[label].num_nodes)


def _weigh_behaviours(graph: HeteroGraph) -> dict[str, Any]:  # fields of the config
    """The settings of the default for the behaviours besides the target; none without any.

    The weight of a behaviour is the share of the target's pairs that it has too, as the nearest of BEHAVIOUR_WEIGHTS by
    their ratio: where nearly all purchases were viewed, a view says most of what a purchase says. Items that a user met
    by another behaviour only are not recommended; in a test part they are no hits, as its pairs are hidden in all
    behaviours.
    """
    target = np.unique(_pair_codes(graph, graph.target))
    shares = {
        origin.name: float(np.isin(target, _pair_codes(graph, origin.triple)).mean()) if len(target) else 0.0
        for origin in find_origins(graph)
        if origin.kind == "behaviours"
    }
    if not shares:
        return {}
    steps = np.log(BEHAVIOUR_WEIGHTS)
    weights = {
        name: BEHAVIOUR_WEIGHTS[int(np.abs(steps - np.log(max(share, BEHAVIOUR_WEIGHTS[0]))).argmin())]
        for name, share in shares.items()
    }
    return {"revisit": 0.0, "weights": " ".join(f"{name}={weight}" for name, weight in weights.items())}


def _pair_codes(graph: HeteroGraph, triple: Triple) -> IndexArray:
    """user · num_items + item of each edge of a behaviour, [num_edges]."""
    user, item = graph.data[triple].edge_index.numpy()
    codes: IndexArray = user * graph.data[graph.target[2]].num_nodes + item
    return codes


def _limit_rank(config: GraphFilterConfig, size: int) -> GraphFilterConfig:
    """The config with its rank limited to the maximum for a matrix whose shorter side is `size`."""
    return replace(config, rank=min(config.rank, int(config.rank_share * size) or 1))


def space(graph: HeteroGraph) -> Space:
    """The ranges of all settings that matter for a graph; `weights.VIEWED` is the weight of the behaviour VIEWED."""
    facts = _Facts.of(graph)
    has_ridge, relations = facts.allows_ridge(), facts.relations
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
    few, many = (0.0, *BEHAVIOUR_WEIGHTS), (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    ranges |= {f"weights.{name}": few for name in relations.get("behaviours", ())}
    if "behaviours" in relations:
        ranges["revisit"] = (0.0, 0.5, 1.0, 2.0)
    kinds = {
        "social_weight": ("social", many),
        "attribute_weight": ("item_attributes", few),
        "user_attribute_weight": ("user_attributes", many),
        "item_relation_weight": ("item_items", few),
    }
    ranges |= {name: values for name, (kind, values) in kinds.items() if kind in relations}
    if has_ridge:
        ranges["ridge"] = (0.0, *RIDGES)
    if graph.data[graph.target].get("timestamp") is not None:
        ranges["half_life"] = (0.0, 30.0, 180.0, 720.0)
    return ranges


def _relation_changes(facts: _Facts) -> list[dict[str, Any]]:  # fields of the config
    """For each kind of relation in the graph: its weight set to zero, and to a much larger value."""
    kinds = {
        "social_weight": ("social", 0.1),
        "attribute_weight": ("item_attributes", 0.4),
        "user_attribute_weight": ("user_attributes", 0.1),
        "item_relation_weight": ("item_items", 0.5),
    }
    present = {name: large for name, (kind, large) in kinds.items() if kind in facts.relations}
    changes: list[dict[str, Any]] = [{name: value} for name, large in present.items() for value in (0.0, large)]
    if "behaviours" in facts.relations:  # in some shops users return to items that they viewed, in others they do not
        equal = [{"behaviour_weight": weight, "weights": ""} for weight in (0.0, 1.0, 0.3, 0.1)]
        changes = [*equal[:2], *changes, *equal[2:], {"revisit": 1.0}]
    return changes
