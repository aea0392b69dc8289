"""graph_filter over a typed graph, against its formula on dense matrices."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, UnknownNameError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.graph_filter.signal import RELATION_ITEMS, Signal, combine_behaviours, find_last_event

from .typed_example import DAY, FULL, GENRES, ITEMS, USERS, Dense, fitted, matrix


def divided(dense: Dense) -> Dense:
    sums = dense.sum(axis=1, keepdims=True)
    return dense / np.where(sums > 0, sums, 1.0)


def by_formula(parts: Mapping[str, npt.NDArray[np.int64]], c: GraphFilterConfig) -> Dense:
    """The class's formula, as it stands, on dense matrices."""
    b = matrix(parts["PURCHASED"], USERS, ITEMS) + c.behaviour_weight * matrix(parts["VIEWED"], USERS, ITEMS)
    users, items = (np.where(b.sum(axis) > 0, b.sum(axis), 1.0) for axis in (1, 0))
    items = items + c.degree_offset
    n = np.diag(users**-c.user_exponent) @ b @ np.diag(items**-c.item_exponent)
    genre = matrix(parts["IN_GENRE"], ITEMS, GENRES)
    values, holders = (np.maximum(genre.sum(axis), 1) for axis in (1, 0))
    f = np.diag(values**-0.5) @ genre @ np.diag(holders**-0.5)
    f *= np.sqrt(c.attribute_weight) / np.linalg.norm(f, 2) * np.linalg.norm(n, 2)
    stacked = np.vstack([n, f.T])
    _, sigma, vt = np.linalg.svd(stacked, full_matrices=False)
    k = min(c.rank, int((sigma > 1e-6).sum()))
    response = np.maximum(c.plateau - (sigma[:k] / sigma[0]) ** 2, 0)
    links = matrix(parts["ALSO_BOUGHT"], ITEMS, ITEMS)
    links = np.maximum(links, links.T)
    damping = np.diag(np.maximum(links.sum(1), 1) ** -0.5)
    paths = stacked.T @ stacked / sigma[0] ** 2 + c.item_relation_weight * damping @ links @ damping
    kernel = c.path_weight * paths + vt[:k].T @ np.diag(response) @ vt[:k]
    town = matrix(parts["LIVES_IN"], USERS, 3)
    profile = np.diag(1 / np.maximum(town.sum(0), 1)) @ town.T @ b
    s = b + c.social_weight * divided(matrix(parts["FOLLOWS"], USERS, USERS)) @ b
    s = s + c.user_attribute_weight * divided(town) @ profile
    scores: Dense = s @ np.diag(items**-c.source_exponent) @ kernel @ np.diag(items**c.target_exponent)
    return scores


@pytest.mark.parametrize("kind", ["", "behaviour", "social", "attribute", "user_attribute", "item_relation"])
def test_scores_follow_the_formula(graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]], kind: str) -> None:
    changed: dict[str, float] = {f"{kind}_weight": 0.9} if kind else {}
    config = replace(FULL, **changed)  # type: ignore[arg-type]  # a weight is a number
    scores = fitted(graph, config).score(np.arange(USERS))
    np.testing.assert_allclose(scores.numpy(), by_formula(parts, config), atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("sharpening", [0.5, 3.0])
def test_sharpened_paths_follow_the_formula(graph: HeteroGraph, sharpening: float) -> None:
    plain = fitted(graph, replace(FULL, target_exponent=0.0)).scores.paths.toarray()
    expected = np.maximum(plain - sharpening * plain @ plain, 0) @ np.diag(fitted(graph, FULL).kernel.degree ** 0.2)
    model = fitted(graph, replace(FULL, sharpening=sharpening))
    np.testing.assert_allclose(model.scores.paths.toarray(), expected, atol=1e-5)
    assert (expected > 0).any()
    variant = fitted(graph, FULL).variant(model.config)
    assert variant is not None
    np.testing.assert_allclose(variant.scores.paths.toarray(), model.scores.paths.toarray(), atol=1e-6)


def test_a_sharpened_variant_leaves_the_kernel_as_it_was(graph: HeteroGraph) -> None:
    base = fitted(graph, FULL)
    before = base.kernel.collected.toarray()
    sharp = base.variant(replace(FULL, sharpening=3.0))
    assert sharp is not None
    assert sharp.scores.paths.nnz < base.scores.paths.nnz  # some entries were eliminated
    np.testing.assert_array_equal(base.kernel.collected.toarray(), before)
    again = base.variant(replace(FULL, path_weight=1.0))
    assert again is not None
    torch.testing.assert_close(again.score(np.arange(USERS)), fitted(graph, again.config).score(np.arange(USERS)))


def test_the_weight_of_one_relation_takes_the_place_of_its_kind(graph: HeteroGraph) -> None:
    everyone = np.arange(USERS)
    named = fitted(graph, replace(FULL, weights="VIEWED=0.9 FOLLOWS=0.1")).score(everyone)
    general = fitted(graph, replace(FULL, behaviour_weight=0.9, social_weight=0.1)).score(everyone)
    torch.testing.assert_close(named, general)


def test_a_weight_of_zero_leaves_a_relation_out(graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]]) -> None:
    kinds = ("behaviour", "social", "attribute", "user_attribute", "item_relation")
    config = replace(FULL, **{f"{kind}_weight": 0.0 for kind in kinds})  # type: ignore[arg-type]
    scores = fitted(graph, config).score(np.arange(USERS))
    np.testing.assert_allclose(scores.numpy(), by_formula(parts, replace(config, attribute_weight=1e-12)), atol=2e-4)


def test_wrong_weights_are_refused(graph: HeteroGraph) -> None:
    with pytest.raises(UnknownNameError, match="VIEWED"):
        fitted(graph, replace(FULL, weights="VIEWD=0.9"))
    with pytest.raises(DataError, match="NAME=WEIGHT with a number"):
        fitted(graph, replace(FULL, weights="VIEWED=much"))
    for value in ("nan", "inf", "-1", "1e39"):
        with pytest.raises(DataError, match=f"a weight is a number from 0 to 1e\\+09, not 'VIEWED={value}'"):
            fitted(graph, replace(FULL, weights=f"VIEWED={value}"))
    with pytest.raises(DataError, match="must not be negative"):
        replace(FULL, social_weight=-0.1)


def test_contributions_of_history_friends_and_attributes_add_up(graph: HeteroGraph) -> None:
    model = fitted(graph, replace(FULL, neighbours=4, revisit=0.5, sharpening=0.5))
    origins, ways = set(), set()
    for user in range(USERS):
        for item in range(ITEMS):
            found = model.explain_score(user, item)
            assert found.amount.sum() == pytest.approx(float(model.score(np.array([user]))[0, item]), abs=2e-5)
            origins |= set(found.origin)
            ways |= set(found.via)
    assert origins == {"history", "FOLLOWS", "LIVES_IN"}
    assert ways == {"users", "spectrum", "IN_GENRE", "ALSO_BOUGHT"}


def test_pairs_and_a_restored_model_agree_with_the_scores(graph: HeteroGraph) -> None:
    model = fitted(graph, replace(FULL, neighbours=5, revisit=0.5))
    everyone = np.arange(USERS)
    scores = model.score(everyone)
    items = np.tile(np.arange(ITEMS), (USERS, 1))
    torch.testing.assert_close(model.score_pairs(everyone, items), scores, atol=1e-5, rtol=1e-4)
    other = GraphFilter(model.config)
    other.restore(model.state())
    torch.testing.assert_close(other.score(everyone), scores)
    mine, theirs = (m.explain_score(3, 4) for m in (model, other))
    assert (mine.origin, mine.via) == (theirs.origin, theirs.via)
    np.testing.assert_allclose(mine.amount, theirs.amount, atol=1e-6)


def test_a_half_life_halves_what_is_that_old(graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]]) -> None:
    model = fitted(graph, replace(FULL, half_life=10.0))
    last = max(len(parts["PURCHASED"]), len(parts["VIEWED"])) - 1
    expected = np.zeros((USERS, ITEMS))
    for name, weight in (("PURCHASED", 1.0), ("VIEWED", FULL.behaviour_weight)):
        for day, (user, item) in enumerate(parts[name]):
            expected[user, item] += weight * 0.5 ** ((last - day) / 10.0)
    np.testing.assert_allclose(model.signal.behaviour.toarray(), expected, rtol=1e-5)


def test_the_latest_event_of_a_pair_decays_and_behaviours_without_weight_set_no_clock() -> None:
    twice = Interactions(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64), 1, 1, time=np.array([10, 0]) * DAY)
    later = replace(twice, time=np.array([30, 40]) * DAY)
    assert find_last_event(twice, {"VIEWED": later}, {"VIEWED": 0.0}) == 10 * DAY
    assert find_last_event(twice, {"VIEWED": later}, {"VIEWED": 0.1}) == 40 * DAY
    behaviour, _ = combine_behaviours(twice, {}, {}, half_life=5.0, now=20 * DAY)
    np.testing.assert_allclose(behaviour.toarray(), [[0.25]])


def test_of_equal_items_of_a_friend_the_rarer_ones_enter_the_signal() -> None:
    """A friend has 80 items, the first half of which ten others have too; RELATION_ITEMS are taken."""
    behaviour = np.zeros((12, 80), dtype=np.float32)
    behaviour[1] = behaviour[2:, :40] = 1.0
    friends = sparse.csr_array(np.eye(1, 12, 1, dtype=np.float32))
    found = Signal(sparse.csr_array(behaviour), social={"FRIEND": friends}).relation_signal(friends, "FRIEND")
    assert found.nnz == RELATION_ITEMS < 80
    assert set(range(40, 80)) <= set(found.indices.tolist())
    np.testing.assert_allclose(found.data, 1.0, rtol=1e-6)


def test_items_met_by_other_behaviours_alone_can_be_left_out(
    graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]]
) -> None:
    scores = fitted(graph, replace(FULL, revisit=0.0)).score(np.arange(USERS)).numpy()
    usual = fitted(graph, FULL).score(np.arange(USERS)).numpy()
    met = (matrix(parts["VIEWED"], USERS, ITEMS) > 0) & (matrix(parts["PURCHASED"], USERS, ITEMS) == 0)
    assert (scores[met] == 0).all()
    np.testing.assert_array_equal(scores[~met], usual[~met])


@pytest.mark.parametrize("revisit", [0.0, 3.0])
def test_screens_multiply_items_met_by_other_behaviours(
    graph: HeteroGraph, revisit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphrec.models.graph_filter.model.APPROXIMATE_FROM", 0)
    model = fitted(graph, replace(FULL, revisit=revisit))
    monkeypatch.setattr("torch.ops.mkldnn._is_mkldnn_bf16_supported", lambda: True)  # slowly, it does everywhere
    screens = model.approximate_scores(np.arange(USERS), USERS)
    assert screens is not None
    screen = next(iter(screens))
    assert screen.exact is not None
    exact = screen.exact(torch.arange(ITEMS).expand(USERS, -1))
    torch.testing.assert_close(exact, model.score(np.arange(USERS)), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(screen.scores, exact, atol=0.05, rtol=0.05)


def test_a_variant_is_what_a_fit_would_give(graph: HeteroGraph) -> None:
    base = fitted(graph, FULL)
    everyone = np.arange(USERS)
    for change in (
        {"social_weight": 0.0},
        {"item_relation_weight": 0.0},
        {"user_attribute_weight": 0.0},
        {"neighbours": 3},
    ):
        config = replace(FULL, **change)
        variant = base.variant(config)
        assert variant is not None
        torch.testing.assert_close(variant.score(everyone), fitted(graph, config).score(everyone), atol=1e-5, rtol=1e-4)
    assert base.variant(replace(FULL, attribute_weight=0.1)) is None
    assert base.variant(replace(FULL, half_life=3.0)) is None
