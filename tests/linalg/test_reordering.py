"""An order in which what belongs together stands together, and work that is done in it."""

from itertools import groupby

import numpy as np
import pytest
from scipy import sparse

from graphrec.interactions import Interactions
from graphrec.linalg.reordering import Locality, invert, spectral_order
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.kernel import Stack
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.testing import graph_of
from graphrec.vocabulary import IndexArray

#: Regions, and users and items of each.
REGIONS, SIZE = 5, 30


def regions(rng: np.random.Generator) -> tuple[sparse.csr_array, IndexArray]:
    """A shuffled matrix of regions with few edges between them, and the region of each column."""
    home = np.arange(REGIONS * SIZE) // SIZE
    near = home[:, None] == home[None, :]
    matrix = np.where(near, rng.random(near.shape) < 0.4, rng.random(near.shape) < 0.004)
    rows, columns = (rng.permutation(len(home)) for _ in range(2))
    weights = matrix[np.ix_(rows, columns)] * (0.1 + rng.random(matrix.shape))
    return sparse.csr_array(weights.astype(np.float32)), home[columns]


def test_columns_of_a_region_stand_together_afterwards() -> None:
    rng = np.random.default_rng(0)
    matrix, home = regions(rng)
    order = spectral_order(matrix, rng)
    assert sorted(order.columns.tolist()) == list(range(matrix.shape[1]))
    assert sorted(order.rows.tolist()) == list(range(matrix.shape[0]))
    assert len(list(groupby(home))) > 100
    assert len(list(groupby(home[order.columns]))) < 3 * REGIONS  # two regions may come out as near one another


def test_an_order_is_applied_to_rows_and_columns() -> None:
    dense = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    order = Locality(np.array([2, 0, 1], dtype=np.int32), np.array([1, 2, 0], dtype=np.int32))
    found = order.apply(sparse.csr_array(dense))
    assert found.toarray().tolist() == [[8, 9, 7], [2, 3, 1], [5, 6, 4]]
    assert found.has_sorted_indices
    assert order.inverse_columns().tolist() == [2, 0, 1]


def test_an_order_after_its_inverse_is_none() -> None:
    order = np.random.default_rng(0).permutation(20).astype(np.int32)
    assert order[invert(order)].tolist() == list(range(20))


def test_an_empty_matrix_has_an_order() -> None:
    order = spectral_order(sparse.csr_array(np.zeros((2, 3), dtype=np.float32)), np.random.default_rng(0))
    assert (len(order.rows), len(order.columns)) == (2, 3)


def test_work_in_another_order_gives_the_same_paths_and_directions() -> None:
    matrix, _ = regions(np.random.default_rng(1))
    order = spectral_order(matrix, np.random.default_rng(2))
    found = []
    for stack in (Stack(matrix), Stack(matrix, locality=order)):
        normalised = stack.normalise(0.5, 0.5)
        vectors, eigenvalues, top, _ = stack.decompose(normalised, 6, np.random.default_rng(0))
        paths = stack.collect(normalised, {}, top, 4, {})
        assert paths.has_sorted_indices
        assert np.diff(paths.indptr).max() == 8  # twice as many as a model keeps
        found.append(((vectors * eigenvalues) @ vectors.T, paths.toarray()))
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_a_large_graph_is_worked_on_in_such_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.models.graph_filter.model.REORDER_FROM", 0)
    matrix, _ = regions(np.random.default_rng(1))
    user, item = matrix.nonzero()
    pairs = Interactions(user.astype(np.int64), item.astype(np.int64), REGIONS * SIZE, REGIONS * SIZE)
    model = GraphFilter(GraphFilterConfig(rank=12, rank_share=1.0, neighbours=0))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    monkeypatch.setattr("graphrec.models.graph_filter.model.REORDER_FROM", len(pairs) + 1)
    plain = GraphFilter(model.config)
    plain.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    everyone = np.arange(pairs.num_users)
    np.testing.assert_allclose(model.score(everyone), plain.score(everyone), atol=2e-5)
