"""Popularity: items ranked by their number of users, the same for all users."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class PopularityConfig:
    """Popularity has no settings."""


class Popularity(Model[PopularityConfig]):
    """score(u, i) = d_i, the number of distinct users of item i. The baseline that a run must beat to be published."""

    config_class = PopularityConfig
    is_personal = False

    def __init__(self, config: PopularityConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.num_users_of: Tensor = torch.empty(0)  # [num_items]

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Count the distinct users of each item."""
        pairs = interactions.matrix()
        counts = np.bincount(pairs.indices, minlength=interactions.num_items)
        self.num_users_of = torch.from_numpy(counts.astype(np.float32))
        if progress is not None:
            progress(1, 1)

    def score(self, user_index: IndexArray) -> Tensor:
        """The counts d_i [batch, num_items] float32; all rows are equal."""
        return self.num_users_of.repeat(len(user_index), 1)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """The counts d_i [batch, num_items] float32 for histories [batch, num_items]; all rows are equal."""
        return self.num_users_of.repeat(int(history.shape[0]), 1)

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:  # noqa: ARG002
        """Zeros, since the score does not depend on the history."""
        return HistoryAttribution(np.zeros(history.nnz), exact=True)

    def state(self) -> State:
        """The counts."""
        return {"num_users_of": self.num_users_of}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore the counts."""
        self.num_users_of = state["num_users_of"]
