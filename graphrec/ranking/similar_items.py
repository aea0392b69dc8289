"""The k most similar items of each item according to a model."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import normalize

from graphrec.arguments import count
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.models import select_models
from graphrec.models.base import ApproximateScores, FactoredScores, Model
from graphrec.progress import Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.options import TopKOptions, rank_by_id
from graphrec.ranking.scorer import Scorer
from graphrec.ranking.topk import search_top_k
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray


class FoldInScorer:
    """Scores of all items for users whose whole history is one item, by a model's `fold_in`."""

    def __init__(self, model: Model[Any], num_items: int) -> None:
        self.has_signed_scores, self.device = model.has_signed_scores, model.device
        self._model, self._num_items = model, num_items

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32 for histories of one item each. Raises DataError if all rows are equal."""
        ones, rows = np.ones(len(user_index), dtype=np.float32), np.arange(len(user_index) + 1)
        scores = self._model.fold_in(sparse.csr_array((ones, user_index, rows), (len(user_index), self._num_items)))
        if len(scores) > 1 and bool((scores == scores[0]).all()) and bool(scores[0].any()):
            raise DataError(
                f"{type(self._model).__name__} gives the same scores after every item, so no item is more similar to "
                f"one than to another; take a run of another model, such as {_name_examples()}"
            )
        return scores

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002  # a Scorer's
        """None: there are no cheaper scores."""
        return None

    def factored_scores(self) -> FactoredScores | None:
        """None: the scores have no factors."""
        return None


class CosineScorer:
    """Cosines of item vectors; an item whose vector is 0 is similar to no item."""

    has_signed_scores = True

    def __init__(self, items: Tensor) -> None:
        self._items = normalize(items.float())
        self.device = items.device

    def score(self, user_index: IndexArray) -> Tensor:
        """Cosines [batch, num_items] float32 of the items `user_index` with all items."""
        return self._items[torch.from_numpy(user_index).to(self.device)] @ self._items.T

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002  # a Scorer's
        """None: there are no cheaper scores."""
        return None

    def factored_scores(self) -> FactoredScores | None:
        """None: the scores have no factors."""
        return None


def find_similar_items(
    trained: TrainedRun, k: int, memory_budget: int = MEMORY_BUDGET, progress: Progress | None = None
) -> pd.DataFrame:
    """The table item_id, similar_id, score, rank (from 1), best first; an item is never similar to itself.

    The score is the cosine of the two items' vectors if the model is made of vectors (`Model.similarity_vectors`),
    else the score that `fold_in` gives to the second item after a history of the first alone. A list is shorter than
    k, or missing, if the model scores fewer items.

    Raises:
        GraphrecError: the model neither folds in new users nor has vectors.
        DataError: the model gives the same scores after every item, or `k` is not an integer of at
            least 1.
    """
    num_items = len(trained.items)
    k = min(count(k), max(num_items, 1))
    everything, itself = np.arange(num_items), sparse.csr_array(sparse.eye_array(num_items, dtype=np.float32))
    options = TopKOptions(memory_budget=memory_budget, order=rank_by_id(trained.items))
    best = search_top_k(_build_scorer(trained), itself, everything, k, options, progress)
    is_similar = (best.item_index >= 0) & (best.score != 0)  # the popular items that fill a list up have score 0
    row, _ = np.nonzero(is_similar)
    frame = pd.DataFrame(
        {
            "item_id": trained.items.ids[row].to_numpy(),
            "similar_id": trained.items.ids[best.item_index[is_similar]].to_numpy(),
            "score": best.score[is_similar],
            "rank": np.cumsum(is_similar, axis=1)[is_similar],
        }
    )
    return frame.astype({"item_id": "str", "similar_id": "str"})


def find_similar_to(trained: TrainedRun, item_index: int, k: int) -> list[tuple[str, float]]:
    """Ids and scores of the k most similar items of one item, best first; as `find_similar_items`.

    Raises GraphrecError if the model neither folds in new users nor has vectors.
    """
    scorer = _build_scorer(trained)
    scores = scorer.score(np.array([item_index]))[0].cpu().numpy().copy()
    scores[item_index] = -np.inf
    preferred = np.isfinite(scores) & ((scores != 0) if scorer.has_signed_scores else (scores > 0))
    order = rank_by_id(trained.items)
    candidates = np.flatnonzero(preferred)
    ranks = candidates if order is None else order[candidates]
    best = candidates[np.lexsort((ranks, -scores[candidates]))][:k]
    return list(zip(trained.items.id(best).tolist(), scores[best].tolist(), strict=True))


def _build_scorer(trained: TrainedRun) -> Scorer:
    try:
        vectors = trained.model.similarity_vectors()
    except GraphrecError as error:
        raise GraphrecError(
            f"{trained.run.model} has no similar items: it neither folds in new users nor has vectors; publish "
            f"it without similar items, or a run of another model, such as {_name_examples()}"
        ) from error
    return FoldInScorer(trained.model, len(trained.items)) if vectors is None else CosineScorer(vectors)


def _name_examples() -> str:
    """Names of models that compare items by `fold_in` or by vectors."""
    return first_few(select_models(lambda kind: kind.is_personal and (kind.supports_fold_in() or kind.has_vectors())))
