"""popularity and item_knn against numbers computed by hand, and what is common to models over items."""

from dataclasses import replace

import numpy as np
import pytest

from graphrec.errors import GraphrecError
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.models.base import Range
from graphrec.models.item_knn import ItemKNN, ItemKNNConfig
from graphrec.models.popularity import Popularity, PopularityConfig
from graphrec.testing import graph_of

#: u0: i0 i1; u1: i0 i1 i2; u2: i0 (twice); nobody: i3
PAIRS = Interactions(np.array([0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 0]), 3, 4)


def test_popularity_counts_users_once() -> None:
    model = Popularity(PopularityConfig())
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    assert model.score(np.array([2, 0])).tolist() == [[3, 2, 1, 0], [3, 2, 1, 0]]


def test_similarity_is_the_shrunk_cosine() -> None:
    model = ItemKNN(ItemKNNConfig(neighbours=0, shrinkage=1.0))
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    i01, i02, i12 = 2 / (6**0.5 + 1), 1 / (3**0.5 + 1), 1 / (2**0.5 + 1)
    expected = [[0, i01, i02, 0], [i01, 0, i12, 0], [i02, i12, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(model.weights.toarray(), np.array(expected, dtype=np.float32), rtol=1e-6)
    np.testing.assert_allclose(model.score(np.array([0])), [[i01, i01, i02 + i12, 0]], rtol=1e-6)


def test_only_the_nearest_neighbours_count() -> None:
    model = ItemKNN(ItemKNNConfig(neighbours=1, shrinkage=0.0))
    model.fit(graph_of(PAIRS), PAIRS, np.random.default_rng(0))
    assert np.diff(model.weights.indptr).max() <= 1


def test_a_model_without_vectors_says_so() -> None:
    with pytest.raises(GraphrecError, match="Popularity has no vectors"):
        Popularity(PopularityConfig()).embeddings()


@pytest.mark.parametrize("name", ["item_knn", "rp3beta", "ease", "slim", "ials"])
def test_a_search_gives_only_values_that_a_config_takes(name: str) -> None:
    kind = model_class(name)
    default = kind.config_class()
    space = kind.space(graph_of(PAIRS))
    assert space
    for setting, choices in space.items():
        ends = (choices.low, choices.high) if isinstance(choices, Range) else choices
        for value in ends:
            changed = replace(default, **{setting: value})
            assert type(getattr(changed, setting)) is type(getattr(default, setting))
