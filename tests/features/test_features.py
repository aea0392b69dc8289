"""Node features by hand on a graph of three users, four films and two genres."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch_geometric.data import HeteroData

from graphrec.errors import DataError
from graphrec.features import node_features
from graphrec.features.category import category_features
from graphrec.features.nodes import number_features
from graphrec.features.reduction import reduce, standardise, weight_by_inverse_frequency
from graphrec.features.structure import structure_features
from graphrec.features.text import BUCKETS, count_words, split_words, text_features
from graphrec.features.time import DAY, WEEK, time_features
from graphrec.hetero import HeteroGraph
from graphrec.vocabulary import Vocabulary

assert DAY == 24 * 60 * 60
SIX = DAY // 4  # six in the morning: a quarter of the circle
RATED, IN_GENRE = ("User", "RATED", "Item"), ("Item", "IN_GENRE", "Genre")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def graph() -> HeteroGraph:
    """u0 rated i0 and i1, u1 rated i1, u2 nothing; i0 has genre 0, i1 both; nobody rated i2 and i3."""
    data = HeteroData()
    for label, size in (("User", 3), ("Item", 4), ("Genre", 2), ("Person", 2)):
        data[label].num_nodes = size
    data["Item"].year = torch.tensor([1990.0, math.nan, 2010.0, 2000.0], dtype=torch.float64)
    data["Item"].minutes = torch.tensor([90, 90, 90, 90])
    edges = {RATED: [[0, 0, 1], [0, 1, 1]], IN_GENRE: [[0, 1, 1], [0, 0, 1]]}
    for (source, relation, target), ends in edges.items():
        data[source, relation, target].edge_index = torch.tensor(ends)
        data[target, f"rev_{relation}", source].edge_index = torch.tensor(ends).flip(0)
    times = torch.tensor([float(WEEK), WEEK + 4 * DAY + SIX, math.nan], dtype=torch.float64)
    data[RATED].timestamp = times
    data["Item", "rev_RATED", "User"].timestamp = times
    ids = {
        label: Vocabulary(label, pd.Index([f"{n}" for n in range(data[label].num_nodes)])) for label in data.node_types
    }
    return HeteroGraph(data, ids, RATED)


def test_structure_is_the_degree_and_the_degree_of_neighbours(graph: HeteroGraph) -> None:
    """u0 has two films of degrees 1 and 2, u1 one of degree 2."""
    found = structure_features(graph, "User")
    assert found is not None
    two, three = math.log(2), math.log(3)
    torch.testing.assert_close(found, torch.tensor([[three, (two + three) / 2], [two, three], [0.0, 0.0]]))


def test_each_edge_type_of_a_label_has_columns_of_its_own(graph: HeteroGraph) -> None:
    found = structure_features(graph, "Item")
    assert found is not None
    assert found.shape == (4, 4)
    assert structure_features(graph, "Person") is None


def test_time_tells_first_last_activity_recency_gaps_and_the_direction_of_day_and_week(graph: HeteroGraph) -> None:
    """u0 at Thursday midnight and at six on Monday, u1 at an unknown time; all within 4.25 days."""
    found = time_features(graph, "User")
    assert found is not None
    part = 2 * math.pi * (4 * DAY + SIX) / WEEK
    expected = [1, 0, 1, math.log(1 + 2 / 4.25), 0, math.log(5.25)]
    expected += [0.5, 0.5, (1 + math.cos(part)) / 2, math.sin(part) / 2]
    torch.testing.assert_close(found[0], torch.tensor(expected, dtype=torch.float32))
    assert not found[1:].any()
    items = time_features(graph, "Item")  # one moment is a day: i0 at midnight, first of all
    assert items is not None
    torch.testing.assert_close(items[0], torch.tensor([1, 0, 0, math.log(2), math.log(5.25), 0, 1, 0, 1, 0]))
    assert time_features(graph, "Genre") is None


def test_a_few_categories_are_columns_of_their_own(graph: HeteroGraph) -> None:
    found = category_features(graph, "Item", rng())
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    assert category_features(graph, "User", rng()) is None
    assert category_features(graph, "Genre", rng()) is None


def test_many_categories_become_few_coordinates_with_the_same_products(graph: HeteroGraph) -> None:
    """The matrix of genres has rank two; one coordinate keeps the best approximation of rank one."""
    found = category_features(graph, "Item", rng(), width=1)
    assert found is not None
    assert found.shape == (4, 1)
    weighted = weight_by_inverse_frequency(
        sparse.csr_array(np.array([[1, 0], [1, 1], [0, 0], [0, 0]], dtype=np.float32))
    )
    u, s, _ = np.linalg.svd(weighted.toarray())
    best = s[0] ** 2 * np.outer(u[:, 0], u[:, 0])
    np.testing.assert_allclose(found.numpy() @ found.numpy().T, best, atol=1e-6)


def test_numbers_are_standardised_and_a_missing_one_is_the_mean_with_a_sign(graph: HeteroGraph) -> None:
    """minutes is the same everywhere, so 0; year has mean 2000 and deviation √(200/3) of the three that are known."""
    found = number_features(graph, "Item")
    deviation = math.sqrt(200 / 3)
    expected = [[0.0, -10 / deviation, 1.0], [0.0, 0.0, 0.0], [0.0, 10 / deviation, 1.0], [0.0, 0.0, 1.0]]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert number_features(graph, "User") is None


def test_standardised_columns_have_mean_zero_and_variance_one() -> None:
    found = standardise(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    torch.testing.assert_close(found, torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))


def test_rare_entries_weigh_more_than_common_ones() -> None:
    """Of three rows, column 0 is in all, column 1 in one: weights 1 and log(4/2) + 1, rows of length one."""
    found = weight_by_inverse_frequency(sparse.csr_array(np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])))
    rare = math.log(2) + 1
    length = math.hypot(1, rare)
    np.testing.assert_allclose(found.toarray(), np.array([[1 / length, rare / length], [1, 0], [1, 0]]))


def test_reduced_matrices_keep_their_products_and_no_seed_decides_a_sign() -> None:
    generator = np.random.default_rng(3)
    matrix = sparse.csr_array(generator.random((30, 4)) @ generator.random((4, 50)))
    found, other = reduce(matrix, 4, rng()), reduce(matrix, 4, np.random.default_rng(9))
    np.testing.assert_allclose(found.numpy() @ found.numpy().T, (matrix @ matrix.T).toarray(), rtol=1e-4)
    torch.testing.assert_close(found, other, atol=1e-4, rtol=1e-4)
    assert reduce(matrix, 48, rng()).shape == (30, 48)  # wider than there are rows: the last columns are 0


def test_words_are_counted_without_regard_to_case() -> None:
    assert split_words("The Godfather: Part II (1974)") == ["the", "godfather", "part", "ii", "1974"]
    counts = count_words(["Star Wars star", None, "WARS"])
    assert counts.shape == (3, BUCKETS)
    assert sorted(counts[[0]].data.tolist()) == pytest.approx([1.0, 1 + math.log(2)])
    assert counts[[1]].nnz == 0
    assert set(counts[[2]].indices) <= set(counts[[0]].indices)


def test_texts_with_common_words_are_near_and_a_missing_one_is_nowhere() -> None:
    texts = ["star wars", "star trek", "home alone", "home alone again", None]
    found = text_features(texts, rng(), width=3)
    assert found is not None
    near = found @ found.T
    assert float(near[0, 1]) > float(near[0, 2]) + 0.1
    assert float(near[2, 3]) > float(near[1, 3]) + 0.1
    assert not found[4].any()
    assert torch.equal(found, text_features(texts, rng(), width=3))  # type: ignore[arg-type]  # it is not None
    assert text_features([None, "…"], rng()) is None


def test_all_features_stand_side_by_side(graph: HeteroGraph) -> None:
    """Numbers 3, structure 4, extra 2, times 10, genres 2 and titles 2."""
    extra = torch.arange(8.0).view(4, 2)
    found = node_features(graph, "Item", rng(), {"title": ["Heat", "Heat wave", None, "Ran"]}, extra, width=2)
    assert found is not None
    assert found.shape == (4, 3 + 4 + 2 + 10 + 2 + 2)
    assert bool(found.isfinite().all())
    torch.testing.assert_close(found[:, :9].mean(0), torch.zeros(9), atol=1e-6, rtol=0)
    for block in (found[:, 19:21], found[:, 21:]):
        assert float(block.square().mean()) == pytest.approx(1.0)


def test_nothing_known_is_none(graph: HeteroGraph) -> None:
    assert node_features(graph, "Person", rng()) is None
    graph.data["Brand"].num_nodes = 0
    graph.data["Item", "BY_BRAND", "Brand"].edge_index = torch.zeros(2, 0, dtype=torch.int64)
    graph.data["Brand", "rev_BY_BRAND", "Item"].edge_index = torch.zeros(2, 0, dtype=torch.int64)
    assert node_features(graph, "Brand", rng()) is None


def test_texts_and_coordinates_of_other_nodes_are_refused(graph: HeteroGraph) -> None:
    with pytest.raises(DataError, match=r"Item has 4 nodes, but there are 1 texts 'title'; give one for each node"):
        node_features(graph, "Item", rng(), {"title": ["Heat"]})
    with pytest.raises(DataError, match="there are 3 extra coordinates"):
        node_features(graph, "Item", rng(), extra=torch.zeros(3, 2))
