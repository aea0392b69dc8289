"""graph_filter with a ridge: regression coefficients of items on dense matrices, their cut, and new items."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.linalg.item_regression import strongest_coefficients
from graphrec.linalg.sparse import top_k_magnitudes
from graphrec.models.ease import EASE, EASEConfig
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking.topk import TopKOptions, search_top_k, top_k
from graphrec.relations import Relations
from graphrec.testing import graph_of

from .typed_example import FULL, GENRES, ITEMS, USERS, Dense, fitted, matrix

RIDGE = replace(FULL, ridge=3.0)
KNOWN = ITEMS - 1  # items with interactions: all but the last one


def coefficients(paths: npt.NDArray[np.floating], ridge: float) -> Dense:
    """I − Q diag(Q)⁻¹ with Q = (P₀ + μI)⁻¹."""
    inverse = np.linalg.inv(paths + ridge * np.eye(len(paths)))
    found: Dense = np.eye(len(paths)) - inverse / np.diag(inverse)
    return found


def path_matrix(paths: Dense, ridge: float, shift: float = 0.0) -> Dense:
    """P: coefficients of the items with interactions, with `shift` added to the diagonal of P₀, and P₀ elsewhere."""
    found = paths.copy()
    found[:KNOWN, :KNOWN] = coefficients(paths[:KNOWN, :KNOWN] + shift * np.eye(KNOWN), ridge)
    return found


def penalty(model: GraphFilter) -> float:
    """μ: the ridge times the mean square of the entries of D_U^-b B D^-e, over σ₁²."""
    b = model.signal.behaviour.toarray().astype(float)
    c, users = model.config, np.where(b.sum(axis=1) > 0, b.sum(axis=1), 1.0)
    normalised = users[:, None] ** -c.user_exponent * b * model.kernel.degree.astype(float) ** -c.item_exponent
    return float(c.ridge * np.square(normalised[b > 0]).mean() / model.kernel.top_squared_singular_value)


def plain_paths(graph: HeteroGraph, config: GraphFilterConfig) -> Dense:
    """P₀ without D^q, taken from the uncut paths of the model without a ridge."""
    return fitted(graph, replace(config, ridge=0.0, target_exponent=0.0)).scores.paths.toarray().astype(float)


@pytest.mark.parametrize("ridge", [1.0, 20.0])
def test_coefficients_follow_the_formula(graph: HeteroGraph, ridge: float) -> None:
    config = replace(FULL, ridge=ridge, item_relation_weight=0.0)
    model = fitted(graph, config)
    expected = path_matrix(plain_paths(graph, config), penalty(model)) @ np.diag(
        model.kernel.degree**config.target_exponent
    )
    np.testing.assert_allclose(model.scores.paths.toarray(), expected, atol=1e-5)


def test_a_value_of_many_items_has_no_part_in_the_regression(
    graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.bincount(parts["IN_GENRE"][:, 1], minlength=GENRES)
    assert counts.min() < counts.max()
    config = replace(FULL, ridge=3.0, item_relation_weight=0.0, attribute_weight=3.0)
    before = fitted(graph, config).scores.paths.toarray()
    monkeypatch.setattr("graphrec.models.graph_filter.kernel.MAX_VALUE_ITEMS", int(counts.max()) - 1)
    model = fitted(graph, config)
    expected = path_matrix(plain_paths(graph, config), penalty(model)) @ np.diag(
        model.kernel.degree**config.target_exponent
    )
    np.testing.assert_allclose(model.scores.paths.toarray(), expected, atol=1e-5)
    assert np.abs(expected - before).max() > 1e-3


def test_the_cut_is_by_the_exponent_of_each_variant(graph: HeteroGraph) -> None:
    """More coefficients are collected than kept: a variant keeps those that are the largest after its own D^q."""
    base = fitted(graph, replace(RIDGE, neighbours=4, target_exponent=0.0))
    for exponent in (0.0, 0.8):
        config = replace(RIDGE, neighbours=4, target_exponent=exponent)
        uncut = fitted(graph, replace(config, neighbours=0)).scores.paths
        variant = base.variant(config)
        assert variant is not None
        np.testing.assert_allclose(
            variant.scores.paths.toarray(), top_k_magnitudes(uncut, 4).toarray(), atol=1e-5, rtol=1e-3
        )


def test_an_item_relation_adds_to_the_similarity_without_negative_eigenvalues(graph: HeteroGraph) -> None:
    model = fitted(graph, RIDGE)
    link = model.kernel.links["ALSO_BOUGHT"].toarray().astype(float)
    shift = float(np.abs(link).sum(axis=1).max())
    expected = path_matrix(plain_paths(graph, RIDGE), penalty(model), shift) @ np.diag(
        model.kernel.degree**RIDGE.target_exponent
    )
    np.testing.assert_allclose(model.scores.paths.toarray(), expected, atol=1e-5)


def test_it_is_ease_without_exponents_and_spectrum() -> None:
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((60, 30)) < 0.25)
    pairs = Interactions(user.astype(np.int64), item.astype(np.int64), 60, 30)
    model = GraphFilter(GraphFilterConfig(0.0, 0.0, 0.0, 0.0, rank=0, path_weight=1.0, ridge=4.0, neighbours=0))
    model.fit(graph_of(pairs), pairs, rng)
    ease = EASE(EASEConfig(4.0, 0.0))
    ease.fit(graph_of(pairs), pairs, rng)
    torch.testing.assert_close(model.score(np.arange(60)), ease.score(np.arange(60)), atol=1e-4, rtol=1e-4)
    assert model.has_signed_scores


@pytest.mark.parametrize("rows", [6, 40])
@pytest.mark.parametrize("k", [0, 4])
def test_few_and_many_rows_give_the_closed_form(rows: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 6 rows the Woodbury identity is used; blocks of 7 rows end in the middle of the 24 items."""
    monkeypatch.setattr("graphrec.linalg.item_regression.BLOCK", 7)
    rng = np.random.default_rng(0)
    dense = (rng.random((rows, 24)) < 0.4).astype(np.float32)
    factor = rng.random(24).astype(np.float32)
    found, diagonal = strongest_coefficients(sparse.csr_array(dense), 0.5, factor, k)
    gram = dense.T.astype(float) @ dense
    expected = coefficients(gram, 0.5) * factor
    np.testing.assert_allclose(diagonal, np.diag(np.linalg.inv(gram + 0.5 * np.eye(24))), atol=1e-5)
    if k:
        assert (np.diff(found.indptr) <= k).all()
        limit = -np.sort(-np.abs(expected), axis=1)[:, [k - 1]]
        expected[np.abs(expected) < limit] = 0.0
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-5)


def test_sharpening_is_not_used_with_a_ridge(graph: HeteroGraph) -> None:
    everyone = np.arange(USERS)
    sharpened = fitted(graph, replace(RIDGE, sharpening=2.0)).score(everyone)
    assert sharpened.equal(fitted(graph, RIDGE).score(everyone))


def test_the_strongest_entries_of_either_sign_are_kept() -> None:
    values = sparse.csr_array(np.array([[3, -4, 2, 0], [0, 0, -5, 0], [-1, 4, 2, -3]], dtype=np.float32))
    expected = [[3, -4, 0, 0], [0, 0, -5, 0], [0, 4, 0, -3]]
    np.testing.assert_array_equal(top_k_magnitudes(values, 2).toarray(), expected)
    np.testing.assert_array_equal(top_k_magnitudes(values, 0).toarray(), values.toarray())


@pytest.mark.parametrize("neighbours", [0, 4])
def test_a_variant_and_a_restored_model_are_what_a_fit_would_give(graph: HeteroGraph, neighbours: int) -> None:
    config, everyone = replace(RIDGE, neighbours=neighbours, target_exponent=0.4), np.arange(USERS)
    expected = fitted(graph, config).score(everyone)
    for start in (replace(FULL, neighbours=neighbours), replace(RIDGE, neighbours=neighbours)):
        variant = fitted(graph, start).variant(config)
        assert variant is not None
        torch.testing.assert_close(variant.score(everyone), expected, atol=1e-5, rtol=1e-4)
        back = variant.variant(FULL)  # without a ridge again
        assert back is not None
        torch.testing.assert_close(back.score(everyone), fitted(graph, FULL).score(everyone), atol=1e-5, rtol=1e-4)
        again = GraphFilter(config)
        again.restore(variant.state())
        assert again.score(everyone).equal(variant.score(everyone))


def test_every_search_ranks_negative_scores_after_positive_ones(
    graph: HeteroGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items without any information are last, filled in by popularity, as for every model with signed scores."""
    config = replace(RIDGE, ridge=0.3, rank=2, path_weight=5.0, item_relation_weight=0.0, attribute_weight=0.0)
    model, everyone = fitted(graph, config), np.arange(USERS)
    seen = interactions(graph).matrix()
    expected = top_k(model, seen, everyone, ITEMS - 1)
    assert (expected.score < 0).any()
    for name in ("MIN_VECTOR_ELEMENTS", "MIN_USERS", "MIN_PRODUCT_USERS"):
        monkeypatch.setattr(f"graphrec.ranking.pruned_topk.{name}", 0)
    monkeypatch.setattr("graphrec.models.graph_filter.model.APPROXIMATE_FROM", 0)
    for precision in ("float32", "bfloat16"):
        found = search_top_k(model, seen, everyone, ITEMS - 1, TopKOptions(precision=precision))
        np.testing.assert_array_equal(found.item_index, expected.item_index)


def test_contributions_add_up_to_the_score(graph: HeteroGraph) -> None:
    model = fitted(graph, replace(RIDGE, neighbours=6))
    scores = model.score(np.arange(USERS)).numpy()
    for user in range(USERS - 1):
        for item in range(ITEMS):
            found, walks = model.explain_score(user, item), model.explain_paths(user, item)
            assert found.amount.sum() == pytest.approx(float(scores[user, item]), abs=1e-5)
            total = (walks.starts.carried @ (walks.longer + walks.ends.amount.sum(axis=0))).sum()
            assert total == pytest.approx(float(scores[user, item]), abs=1e-5)


def test_a_new_item_has_the_coefficients_of_its_regression(
    graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]]
) -> None:
    config = replace(RIDGE, item_relation_weight=0.0, rank=0)
    model = fitted(graph, config)
    found_before = GraphFilter(config)
    found_before.restore(model.state())  # as from a saved run
    genres = np.zeros((1, GENRES), dtype=np.float32)
    genres[0, [0, 1]] = 1.0
    rows = sparse.csr_array(genres)
    part, top = model.kernel.attributes["IN_GENRE"], model.kernel.top_squared_singular_value
    to_new = part.factor.toarray().astype(float) @ part.rows(rows).toarray()[0] / top
    inverse = np.eye(ITEMS)  # a signal of the item without interactions stays as it is
    paths = plain_paths(graph, config)[:KNOWN, :KNOWN]
    inverse[:KNOWN, :KNOWN] = np.linalg.inv(paths + penalty(model) * np.eye(KNOWN))
    signals = model.signal.for_users(np.arange(USERS)).toarray() @ np.diag(
        model.kernel.degree.astype(float) ** -config.source_exponent
    )
    expected = config.path_weight * signals @ inverse @ to_new
    assert matrix(parts["IN_GENRE"], ITEMS, GENRES)[:, [0, 1]].any()
    for one in (model, found_before):
        found = one.score_new_items(np.arange(USERS), {"IN_GENRE": rows})[:, 0]
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
        last = Interactions(np.zeros(1, dtype=np.int64), np.array([KNOWN]), 1, ITEMS)
        for_last = one.fold_in_new_items(last, Relations(), {"IN_GENRE": rows})
        median = float(np.median(model.kernel.degree)) ** config.target_exponent
        assert float(for_last) == pytest.approx(config.path_weight * median * to_new[KNOWN], rel=1e-4)


def test_items_without_interactions_cost_nothing_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of 60 items, of which 20 have interactions: the matrix has 20 rows, and 19 would be too few."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((15, 20)) < 0.4)
    few, many = (Interactions(user, item * step, 15, 20 * step) for step in (1, 3))
    config = GraphFilterConfig(0.2, 0.25, 0.25, 0.05, rank=4, path_weight=100.0, ridge=3.0, neighbours=8)
    monkeypatch.setattr("graphrec.models.graph_filter.regression.MAX_RIDGE_ITEMS", 20)
    scores = []
    for pairs in (few, many):
        model = GraphFilter(config)
        model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
        scores.append(model.score(np.arange(15)))
    torch.testing.assert_close(scores[1][:, ::3], scores[0], atol=1e-4, rtol=1e-4)
    assert not scores[1][:, 1::3].any()
    monkeypatch.setattr("graphrec.models.graph_filter.regression.MAX_RIDGE_ITEMS", 19)
    with pytest.raises(DataError, match=r"20 × 20 .* at most 19 items"):
        GraphFilter(config).fit(graph_of(many), many, np.random.default_rng(0))


def test_a_live_user_of_an_item_without_interactions_follows_its_attributes(graph: HeteroGraph) -> None:
    config = replace(RIDGE, rank=0, item_relation_weight=0.0)
    model = fitted(graph, config)
    history = sparse.csr_array(np.eye(ITEMS, dtype=np.float32)[[KNOWN]])
    expected = config.path_weight * plain_paths(graph, config)[KNOWN] * model.kernel.degree**config.target_exponent
    np.testing.assert_allclose(model.fold_in(history).numpy()[0], expected, atol=1e-5)
    assert (expected[:KNOWN] > 0).any()


@pytest.mark.parametrize(("users", "ridge"), [(50, 1e-6), (50, 1e-30), (3, 1e-30), (3, 1e-100)])
def test_a_ridge_too_small_for_float32_says_what_to_do(users: int, ridge: float) -> None:
    """All users alike, so that all items depend on each other; with 3 users the Woodbury identity is used."""
    pairs = Interactions(np.repeat(np.arange(users), 30), np.tile(np.arange(30), users), users, 30)
    model = GraphFilter(GraphFilterConfig(0.2, 0.25, ridge=ridge))
    with pytest.raises(GraphrecError, match=f"graph_filter needs a ridge above {ridge:g} here; 50 to 3,000 are usual"):
        model.fit(graph_of(pairs), pairs, np.random.default_rng(0))


@pytest.mark.parametrize(("users", "items"), [(1, 1), (1, 6), (6, 1), (6, 3)])
def test_the_fewest_users_and_items_have_finite_scores(users: int, items: int) -> None:
    """The last user and the last item have no interactions, and one pair is repeated."""
    pairs = Interactions(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64), users, items)
    model = GraphFilter(GraphFilterConfig(0.2, 0.25, 0.25, 0.05, rank=64, path_weight=100.0, ridge=400.0))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    assert bool(model.score(np.arange(users)).isfinite().all())


def test_squares_of_paths_are_not_computed_with_a_ridge(graph: HeteroGraph) -> None:
    model = fitted(graph, RIDGE)
    assert model.variant(replace(RIDGE, sharpening=2.0)) is not None
    assert model.kernel.squared_paths is None


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(DataError, match="ridge, .* must not be negative"):
        GraphFilterConfig(ridge=-0.1)
    with pytest.raises(DataError, match="ridge is at most 1,000,000,000, not 1e"):
        GraphFilterConfig(ridge=1e30)
    for name in ("ridge", "path_weight", "source_exponent"):
        for value in (np.nan, np.inf):
            with pytest.raises(DataError, match=f"{name} must be a finite number"):
                replace(GraphFilterConfig(), **{name: value})  # type: ignore[arg-type]  # all three are numbers
    many = Interactions(np.arange(26_000), np.arange(26_000), 26_000, 26_000)
    with pytest.raises(DataError, match=r"graph_filter with a ridge needs a dense matrix .* at most 25,000 items"):
        GraphFilter(GraphFilterConfig(rank=0, ridge=0.1)).fit(graph_of(many), many, np.random.default_rng(0))
