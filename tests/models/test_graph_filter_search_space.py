"""What is tried to tune graph_filter, by the graph."""

import numpy as np
import pytest
import torch

from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.testing import graph_of

BUDGET = 10  # of the example report


def shop(users: int, items: int, genres: int, known: int | None = None) -> HeteroGraph:
    """Purchases by time, views, friends, genres and items bought together; the first `known` items were viewed."""
    rng = np.random.default_rng(0)
    number, known = 3 * users, known or items
    user, item = np.arange(number) % users, rng.integers(known, size=number)
    graph = graph_of(Interactions(user, item, users, items))
    graph.data[graph.target].timestamp = torch.arange(graph.data[graph.target].num_edges)
    graph.data["Genre"].num_nodes = genres
    for kind, sizes in {
        ("User", "FOLLOWS", "User"): (users, users),
        ("Item", "IN_GENRE", "Genre"): (items, genres),
        ("Item", "ALSO_BOUGHT", "Item"): (items, items),
    }.items():
        graph.data[kind].edge_index = torch.from_numpy(np.stack([rng.integers(size, size=number) for size in sizes]))
    viewed = np.arange(max(number, known))
    graph.data["User", "VIEWED", "Item"].edge_index = torch.from_numpy(np.stack([viewed % users, viewed % known]))
    return graph


def test_the_search_covers_the_relations_that_are_there() -> None:
    graph = shop(24, 24, 4)
    space = GraphFilter.space(graph)
    assert {"weights.VIEWED", "revisit", "social_weight", "attribute_weight", "item_relation_weight"} <= set(space)
    assert "half_life" in space


@pytest.mark.parametrize(("users", "ridge"), [(3_000, 400.0), (30_000, 0.0)])
def test_a_small_budget_tries_relations_offsets_ranks_and_ridges(users: int, ridge: float) -> None:
    default, *others = GraphFilter.candidates(shop(users, users, 4))[:BUDGET]
    assert default.ridge == ridge
    for name in ("degree_offset", "social_weight", "rank", *(("ridge",) if ridge else ())):
        assert {getattr(config, name) for config in others} > {getattr(default, name)}
    assert GraphFilterConfig() in others


@pytest.mark.parametrize(
    ("users", "genres", "ranks"), [(800, 4, {64, 768}), (800, 7_000, {64, 256, 768}), (7_000, 4, {64, 256, 768})]
)
def test_a_rank_that_a_graph_does_not_allow_is_tried_once(users: int, genres: int, ranks: set[int]) -> None:
    candidates = GraphFilter.candidates(shop(users, 7_000, genres))
    assert {config.rank for config in candidates if config == GraphFilterConfig(rank=config.rank)} == ranks


@pytest.mark.parametrize(
    ("users", "items", "known", "genres", "allowed"),
    [
        (9_000, 8_000, 8_000, 4, True),
        (9_000, 8_001, 8_001, 4, False),
        (9_000, 60_000, 8_000, 4, True),
        (9_000, 60_000, 8_001, 4, False),
        (400, 24_000, 24_000, 4, True),
        (400, 24_000, 24_000, 600, False),
        (400, 25_000, 25_000, 4, True),
        (400, 25_001, 25_001, 4, False),  # a fit refuses a ridge for more items
        (400, 60_000, 12_500, 4, True),
        (400, 60_000, 12_501, 4, False),  # all interactions may be on more items than a fit accepts
    ],
)
def test_a_ridge_is_tried_where_it_takes_seconds(
    users: int, items: int, known: int, genres: int, allowed: bool
) -> None:
    """For 8,000 items with interactions; for more if users and attribute values are few, and there is no relation
    between items."""
    graph = shop(users, items, genres, known)
    del graph.data["Item", "ALSO_BOUGHT", "Item"]
    assert any(config.ridge for config in GraphFilter.candidates(graph)) == allowed
    assert ("ridge" in GraphFilter.space(graph)) == allowed


@pytest.mark.parametrize(("shared", "weight"), [(0, 0.1), (17, 0.1), (18, 0.3), (54, 0.3), (55, 1.0), (100, 1.0)])
def test_the_default_weighs_a_behaviour_by_the_share_of_the_target_that_it_has(shared: int, weight: float) -> None:
    """Of 100 purchases some were viewed, as were 50 other pairs; repeated events count once."""
    pairs = Interactions(np.arange(100) % 20, np.arange(100) % 50, 20, 50)
    graph = graph_of(pairs)
    assert (GraphFilter.candidates(graph)[0].weights, GraphFilter.candidates(graph)[0].revisit) == ("", 1.0)
    viewed = np.stack([pairs.user_index, pairs.item_index])[:, :shared]
    others = np.stack([(np.arange(50) + 1) % 20, np.arange(50)])
    graph.data["User", "VIEWED", "Item"].edge_index = torch.from_numpy(np.concatenate([viewed, viewed, others], axis=1))
    default, *candidates = GraphFilter.candidates(graph)
    assert default.weights == f"VIEWED={weight}"
    assert {candidate.behaviour_weight for candidate in candidates if not candidate.weights} >= {0.0, 0.1, 0.3, 1.0}
    assert {candidate.revisit for candidate in candidates} == {0.0, 1.0}


def test_the_default_leaves_out_what_a_user_met_by_another_behaviour_only() -> None:
    pairs = Interactions(np.arange(60) % 12, np.arange(60) % 15, 12, 15)
    graph = graph_of(pairs)
    viewed = (np.arange(12), (np.arange(12) + 1) % 15)
    graph.data["User", "VIEWED", "Item"].edge_index = torch.from_numpy(np.stack(viewed))
    model = GraphFilter(GraphFilter.candidates(graph)[0])
    model.fit(graph, pairs, np.random.default_rng(0))
    scores, bought = model.score(np.arange(12)).numpy(), pairs.matrix().toarray() > 0
    assert not bought[viewed].all()
    assert not scores[viewed][~bought[viewed]].any()
    assert scores[viewed][bought[viewed]].all()


def test_a_ridge_with_item_relations_depends_on_the_items_alone() -> None:
    assert not any(config.ridge for config in GraphFilter.candidates(shop(400, 24_000, 4)))


def test_the_default_for_few_users_and_many_items_can_be_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.models.graph_filter.regression.MAX_RIDGE_ITEMS", 150)
    monkeypatch.setattr("graphrec.models.graph_filter.search_space.MAX_RIDGE_ITEMS", 150)
    for items in (150, 151):
        pairs = Interactions(np.arange(items) % 20, np.arange(items), 20, items)
        default = GraphFilter.candidates(graph_of(pairs))[0]
        assert (default.ridge > 0) == (items == 150)
        model = GraphFilter(default)
        model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
        assert bool(model.score(np.arange(20)).isfinite().all())


def test_what_is_left_out_would_have_given_the_same_scores() -> None:
    graph = shop(60, 80, 4)
    assert not {GraphFilterConfig(rank=256), GraphFilterConfig(rank=64)} & {*GraphFilter.candidates(graph)}
    scores = []
    for rank in (64, 256, 768):
        model = GraphFilter(GraphFilterConfig(rank=rank))
        model.fit(graph, interactions(graph), np.random.default_rng(0))
        scores.append(model.score(np.arange(60)))
    assert torch.equal(scores[0], scores[2])
    assert torch.equal(scores[1], scores[2])
