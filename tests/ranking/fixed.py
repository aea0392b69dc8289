"""A model with fixed scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class NoSettings:
    """A config without settings."""


class Fixed(Model[NoSettings]):
    """A model that returns given scores [num_users, num_items]."""

    config_class = NoSettings

    def __init__(self, scores: list[list[float]]) -> None:
        super().__init__(NoSettings())
        self.scores = torch.tensor(scores, dtype=torch.float32)
        self.largest_batch = 0

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Do nothing: the scores are given."""

    def score(self, user_index: IndexArray) -> Tensor:
        self.largest_batch = max(self.largest_batch, len(user_index))
        return self.scores[torch.from_numpy(user_index)].clone()

    def state(self) -> State:
        return {"scores": self.scores}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.scores = state["scores"]


def pairs(*found: tuple[int, int], users: int = 1, items: int = 5) -> Interactions:
    user, item = ([p[end] for p in found] for end in (0, 1))
    return Interactions(np.array(user, dtype=np.int64), np.array(item, dtype=np.int64), users, items)
