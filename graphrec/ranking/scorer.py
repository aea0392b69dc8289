"""The protocol that a top-k search requires of a model."""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from graphrec.models.base import ApproximateScores, FactoredScores
from graphrec.vocabulary import IndexArray


class Scorer(Protocol):
    """Scores all items for each row; every model is a Scorer of users. `models.base.Model` documents the members."""

    @property
    def has_signed_scores(self) -> bool:
        """Whether a negative score is a preference like any other."""

    @property
    def device(self) -> torch.device:
        """The device of the scores."""

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32, which the caller may overwrite."""

    def approximate_scores(self, user_index: IndexArray, size: int) -> Iterator[ApproximateScores] | None:
        """Cheaper approximate scores, at most `size` users at a time; None if the model has no cheaper ones."""

    def factored_scores(self) -> FactoredScores | None:
        """The scores as an inner product plus sparse paths; None if they are not of this form."""
