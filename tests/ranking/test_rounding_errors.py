"""No list ranks a rounding error before a popular item, for any model on any graph."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.interactions import FloatArray, Interactions
from graphrec.models import make
from graphrec.models.base import ROUNDING_ERROR, Model
from graphrec.ranking import pruned_topk
from graphrec.ranking.topk import TopK, top_k
from graphrec.serving.candidates import top_positions
from graphrec.testing import graph_of

#: Models whose scores are sums of floats, with settings that fit a small graph.
MODELS: dict[str, dict[str, Any]] = {  # Any: the settings of each config
    "graph_filter": {"rank": 8},
    "item_knn": {},
    "user_knn": {},
    "rp3beta": {},
    "ease": {},
    "slim": {},
    "ials": {"factors": 4},
    "fastrp": {},
    "popularity": {},
}

#: Limits under which a search with norm bounds is used for a few users and items.
PRUNED = {"MIN_VECTOR_ELEMENTS": 0, "MIN_USERS": 1, "MIN_PRODUCT_USERS": 1, "BYTES_PER_THREAD": 0}


def random_blocks(seed: int, num_blocks: int, users: int, items: int) -> Interactions:
    """Random interactions without a path between blocks; user 0 and the last item have none."""
    rng = np.random.default_rng(seed)
    user_block, item_block = rng.integers(0, num_blocks, users), rng.integers(0, num_blocks, items)
    chosen = (user_block[:, None] == item_block) & (rng.random((users, items)) < 0.6)
    chosen[0], chosen[:, -1] = False, False
    user, item = np.nonzero(chosen)
    return Interactions(user, item, users, items)


def check_lists(found: TopK, model: Model[Any], seen: Interactions) -> None:
    """Every score is a preference or 0; items with 0 are last, and the most popular of the rest in this order."""
    users = np.arange(seen.num_users)
    scores, history = model.score(users).cpu().numpy(), seen.matrix().toarray() > 0
    popularity = history.sum(axis=0)
    largest = np.abs(scores).max(axis=1)
    for user in users:
        length = int((found.item_index[user] >= 0).sum())
        item, score = found.item_index[user, :length], found.score[user, :length]
        preferred = np.abs(score) > ROUNDING_ERROR * largest[user]
        assert (preferred == (score != 0)).all(), "a score is a preference or 0"
        assert (np.diff(preferred.astype(int)) <= 0).all(), "items without a preference are last"
        filled = popularity[item[~preferred]]
        assert (np.diff(filled) <= 0).all(), "the most popular first"
        left = np.setdiff1d(np.flatnonzero(~history[user]), item)
        assert not len(filled) or not len(left) or filled.min() >= popularity[left].max()


@pytest.mark.parametrize("name", MODELS)
@given(seed=st.integers(0, 2**32 - 1), num_blocks=st.integers(1, 4), k=st.integers(1, 14), pruned=st.booleans())
def test_no_rounding_error_is_ranked_before_a_popular_item(
    name: str, seed: int, num_blocks: int, k: int, pruned: bool
) -> None:
    seen = random_blocks(seed, num_blocks, users=12, items=14)
    if not len(seen):
        return
    model = make(name, **MODELS[name])
    model.fit(graph_of(seen), seen, np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        for limit, value in PRUNED.items() if pruned else ():
            patch.setattr(pruned_topk, limit, value)
        check_lists(top_k(model, seen, np.arange(12), k), model, seen)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans())
def test_candidates_of_a_live_user_have_no_rounding_errors(seed: int, limit: int, has_signed_scores: bool) -> None:
    """Scores with rounding errors in the place of zeros have the same candidates as exact scores."""
    rng = np.random.default_rng(seed)
    exact: FloatArray = rng.integers(-3, 4, 12).astype(np.float32) * np.float32(10.0 ** rng.integers(-9, 9))
    error = ROUNDING_ERROR * float(np.abs(exact).max())
    noise = np.where(exact == 0, error * rng.choice([-0.3, -6e-11, 0.0, 6e-11, 0.3], 12), 0.0).astype(np.float32)
    found = top_positions(exact + noise, limit, None, has_signed_scores, error)
    preferences = np.flatnonzero(exact != 0 if has_signed_scores else exact > 0)
    assert found.tolist() == sorted(preferences, key=lambda item: (-exact[item], item))[:limit]
