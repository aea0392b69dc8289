"""Similar items: what a model says of a history of one item, or cosines of vectors; never the item itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, GraphrecError
from graphrec.interactions import FloatArray
from graphrec.models import make
from graphrec.ranking.similar_items import find_similar_items
from graphrec.runs import TrainedRun, describe
from graphrec.testing import checkerboard

from .fixed import Fixed


def trained(name: str) -> TrainedRun:
    graph, known, _ = checkerboard()
    model = make(name)
    model.fit(graph, known, np.random.default_rng(0))
    return TrainedRun(describe(name, model, graph.target, {}, 0.0), model, graph.users, graph.items, known)


def dense(frame: pd.DataFrame, run: TrainedRun) -> FloatArray:
    """The scores [num_items, num_items], 0 where there is none."""
    found = np.zeros((len(run.items),) * 2, dtype=np.float32)
    found[run.items.index(frame["item_id"]), run.items.index(frame["similar_id"])] = frame["score"]
    return found


@pytest.mark.parametrize("name", ["graph_filter", "item_knn", "ease", "ials"])
def test_a_score_is_what_the_model_says_of_a_user_with_the_one_item(name: str) -> None:
    run = trained(name)
    num_items = len(run.items)
    frame = find_similar_items(run, num_items)
    told = run.model.fold_in(sparse.csr_array(np.eye(num_items, dtype=np.float32))).numpy().copy()
    np.fill_diagonal(told, 0)
    if not run.model.has_signed_scores:
        told[told < 0] = 0
    assert np.allclose(dense(frame, run), told, atol=1e-6)
    assert (frame["item_id"] != frame["similar_id"]).all()
    for _, mine in frame.groupby("item_id"):
        assert mine["rank"].tolist() == list(range(1, len(mine) + 1))
        assert mine["score"].is_monotonic_decreasing


def test_items_of_one_block_are_similar_whatever_the_memory() -> None:
    run = trained("item_knn")
    frame = find_similar_items(run, 3)
    assert (frame.groupby("item_id").size() == 3).all()
    ends = (run.items.index(frame[name]) for name in ("item_id", "similar_id"))
    assert all((a - b) % 2 == 0 for a, b in zip(*ends, strict=True))
    pd.testing.assert_frame_equal(find_similar_items(run, 3, memory_budget=1), frame)


@pytest.mark.parametrize("name", ["mf", "fastrp"])
def test_models_of_vectors_give_their_cosines(name: str) -> None:
    run = trained(name)
    vectors = torch.nn.functional.normalize(run.model.embeddings().items).numpy()
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, 0)
    assert np.allclose(dense(find_similar_items(run, len(run.items)), run), cosine, atol=1e-5)


def test_models_that_know_no_similar_items() -> None:
    with pytest.raises(DataError, match="Popularity gives the same scores after every item"):
        find_similar_items(trained("popularity"), 3)
    run = trained("item_knn")
    fixed = TrainedRun(run.run, Fixed([[0.0] * len(run.items)]), run.users, run.items, run.seen)
    with pytest.raises(GraphrecError, match="has no similar items: it neither folds in new users nor has vectors"):
        find_similar_items(fixed, 3)
