"""The k items most similar to each item, as a model sees them."""

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
from graphrec.models import models_where
from graphrec.models.base import ApproximateScores, FactoredScores, Model, Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.options import TopKOptions, id_order
from graphrec.ranking.scorer import Scorer
from graphrec.ranking.topk import top_k_of
from graphrec.runs import TrainedRun
from graphrec.vocabulary import IndexArray


class ByHistory:
    """Scores of all items for users whose whole history is one item: what the model would offer next to it."""

    def __init__(self, model: Model[Any], num_items: int) -> None:
        self.has_signed_scores, self.device = model.has_signed_scores, model.device
        self._model, self._num_items = model, num_items

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32 for the histories of one item each; DataError where all are alike."""
        ones, rows = np.ones(len(user_index), dtype=np.float32), np.arange(len(user_index) + 1)
        found = self._model.fold_in(sparse.csr_array((ones, user_index, rows), (len(user_index), self._num_items)))
        if len(found) > 1 and bool((found == found[0]).all()) and bool(found[0].any()):
            raise DataError(
                f"{type(self._model).__name__} says the same of every item, so no item is more similar to one than to "
                f"another; publish a run of another model with --similar, such as {first_few(_models_with_similar())}"
            )
        return found

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002  # a Scorer's
        """None: there is no cheaper way."""
        return None

    def factored(self) -> FactoredScores | None:
        """None: there is only one part."""
        return None


class ByVectors:
    """Cosines of the items' vectors; an item with the vector 0 is like none."""

    has_signed_scores = True

    def __init__(self, items: Tensor) -> None:
        self._items = normalize(items.float())
        self.device = items.device

    def score(self, user_index: IndexArray) -> Tensor:
        """Cosines [batch, num_items] float32."""
        return self._items[torch.from_numpy(user_index).to(self.device)] @ self._items.T

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:  # noqa: ARG002  # a Scorer's
        """None: there is no cheaper way."""
        return None

    def factored(self) -> FactoredScores | None:
        """None: there is only one part."""
        return None


def similar_items(
    trained: TrainedRun, k: int, memory_budget: int = MEMORY_BUDGET, progress: Progress | None = None
) -> pd.DataFrame:
    """One table: item_id, similar_id, score, rank (from 1), best first; an item is not similar to itself.

    The score is what the model gives to a user who has the one item, or the cosine of the items' vectors where the
    model consists of vectors. A list is shorter than k, or missing, where the model knows of fewer items.

    Raises:
        GraphrecError: the model neither answers for new users nor has vectors.
        DataError: it says the same of every item, or `k` is no integer from 1 on.
    """
    num_items = len(trained.items)
    k = min(count(k), max(num_items, 1))
    everything, itself = np.arange(num_items), sparse.csr_array(sparse.eye_array(num_items, dtype=np.float32))
    choice = TopKOptions(memory_budget=memory_budget, order=id_order(trained.items))
    best = top_k_of(_scorer(trained), itself, everything, k, choice, progress)
    known = (best.item_index >= 0) & (best.score != 0)  # 0 stands for items of which nothing is known
    row, _ = np.nonzero(known)
    frame = pd.DataFrame(
        {
            "item_id": trained.items.ids[row].to_numpy(),
            "similar_id": trained.items.ids[best.item_index[known]].to_numpy(),
            "score": best.score[known],
            "rank": (np.cumsum(known, axis=1))[known],
        }
    )
    return frame.astype({"item_id": "str", "similar_id": "str"})


def _scorer(trained: TrainedRun) -> Scorer:
    model = trained.model
    try:
        vectors = model.similarity_vectors()
    except GraphrecError as error:
        raise GraphrecError(
            f"{trained.run.model} knows no similar items: it neither answers for new users nor has vectors; publish "
            f"without --similar, or a run of another model, such as {first_few(_models_with_similar())}"
        ) from error
    return ByHistory(model, len(trained.items)) if vectors is None else ByVectors(vectors)


def _models_with_similar() -> list[str]:
    """The models whose scores or vectors compare items."""
    return models_where(lambda kind: kind.is_personal and (kind.supports_fold_in() or kind.has_vectors()))
