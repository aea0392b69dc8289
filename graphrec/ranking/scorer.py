"""What the search for the best items asks of a model."""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from graphrec.models.base import ApproximateScores, FactoredScores
from graphrec.vocabulary import IndexArray


class Scorer(Protocol):
    """Whatever scores all items for some rows, as every model does for users (`models.base` says what each means)."""

    @property
    def has_signed_scores(self) -> bool:
        """Whether a negative score is a preference like any other."""

    @property
    def device(self) -> torch.device:
        """Where the scores are."""

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32, the caller's to overwrite."""

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        """Cheaper and rougher scores, or None."""

    def factored_scores(self) -> FactoredScores | None:
        """The same scores in two parts, or None."""
