"""Content: the contract, the formula on dense matrices, and what is recommended of items that nobody has."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph, with_vectors
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.models.content import Content, ContentConfig
from graphrec.ranking.topk import top_k
from graphrec.relations import Relations
from graphrec.schema import ITEM, SIMILAR_TEXT, TEXT_EMBEDDING
from graphrec.testing import ModelContract, graph_of

#: Users 0 to 3 have items 0 to 2, users 4 to 7 items 3 to 5; nobody has items 6 and 7.
PAIRS = [(user, item + 3 * (user > 3)) for user in range(8) for item in range(3) if user % 3 != item]
TRAIN = Interactions(np.array([user for user, _ in PAIRS]), np.array([item for _, item in PAIRS]), 8, 8)
#: Items 0 to 2 and 6 speak of one thing, items 3 to 5 and 7 of another.
VECTORS = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6], [0, 1], [0.6, 0.8], [-0.6, 0.8], [1, 0], [0, 1]], dtype=np.float32)


class TestContent(ModelContract):
    name = "content"
    config: ClassVar[dict[str, object]] = {"neighbours": 20}


def graph(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]] = VECTORS) -> HeteroGraph:
    plain = graph_of(TRAIN)
    return with_vectors(plain, ITEM, TEXT_EMBEDDING, list(plain.items.ids), vectors)


def fitted(**config: object) -> Model[ContentConfig]:
    model = make("content", **config)
    model.fit(graph(), TRAIN, np.random.default_rng(0))
    return model


def test_scores_are_those_of_the_formula() -> None:
    model = fitted(neighbours=8, teacher_neighbours=8, teacher_weight=0.7, steps=3, step_weight=0.5, content_scale=2.0)
    assert isinstance(model, Content)
    history = TRAIN.matrix().toarray()
    weighted = history / np.sqrt(history.sum(axis=1, keepdims=True))
    common = weighted.T @ weighted
    size = np.sqrt(np.maximum(np.diag(common), 1e-12))
    cosine = common / np.outer(size, size)
    np.fill_diagonal(cosine, 0)
    teacher = cosine / np.maximum(cosine.sum(axis=1, keepdims=True), 1e-12)
    near = VECTORS @ VECTORS.T
    np.fill_diagonal(near, 0)
    near[near < 1e-6] = 0
    degree = np.maximum(near.sum(axis=1), 1)
    near /= np.sqrt(np.outer(degree, degree))
    kernel = near + 0.5 * near @ near + 0.25 * near @ near @ near
    np.fill_diagonal(kernel, 0)
    taught = history @ teacher
    warmth = history.sum(axis=0) / (history.sum(axis=0) + 2.0)
    expected = warmth * taught + 2.0 * (1 - warmth) * ((history + 0.7 * taught) @ kernel)
    np.testing.assert_allclose(model.score(np.arange(8)).numpy(), expected, rtol=1e-4, atol=1e-6)


def test_an_item_without_users_is_recommended_by_its_text() -> None:
    model = fitted()
    scores = model.score(np.arange(8)).numpy()
    assert (scores[:4, 6] > scores[:4, 7]).all()
    assert (scores[4:, 7] > scores[4:, 6]).all()
    shuffled = make("content")
    shuffled.fit(graph(VECTORS[[3, 4, 5, 0, 1, 2, 6, 7]]), TRAIN, np.random.default_rng(0))
    assert (shuffled.score(np.arange(4)).numpy()[:, 6] < shuffled.score(np.arange(4)).numpy()[:, 7]).all()


def test_edges_between_items_do_the_same_without_vectors() -> None:
    plain = graph_of(TRAIN)
    edges = torch.tensor([[6, 6, 7, 7], [0, 1, 3, 4]])
    plain.data[ITEM, SIMILAR_TEXT, ITEM].edge_index = edges
    plain.data[ITEM, SIMILAR_TEXT, ITEM].similarity = torch.tensor([0.9, 0.8, 0.9, 0.8])
    model = make("content")
    model.fit(plain, TRAIN, np.random.default_rng(0))
    best = top_k(model, TRAIN, np.arange(8), 2).item_index
    assert all(6 in best[user] for user in range(4))
    assert all(7 in best[user] for user in range(4, 8))


def test_an_item_that_came_after_training_is_scored_by_its_text() -> None:
    model = fitted()
    vectors = {TEXT_EMBEDDING: sparse.csr_array(np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32))}
    scores = model.fold_in_new_items(TRAIN, Relations(), vectors)
    assert scores is not None
    assert (scores[:4, 0] > scores[:4, 1]).all()
    assert (scores[4:, 1] > scores[4:, 0]).all()
    assert model.fold_in_new_items(TRAIN, Relations(), {}) is None
    other = {TEXT_EMBEDDING: sparse.csr_array(np.ones((1, 3), dtype=np.float32))}
    assert model.fold_in_new_items(TRAIN, Relations(), other) is None  # of another encoder


@pytest.mark.parametrize("config", [{"neighbours": 0}, {"shrinkage": -1.0}, {"text_weight": -0.1}])
def test_impossible_settings_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(DataError, match="content:"):
        make("content", **config)
