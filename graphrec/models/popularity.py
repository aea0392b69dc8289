"""Popularity: items ranked by their number of users, or by its rise, the same for all users."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Model
from graphrec.models.recency import weigh_by_age
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class PopularityConfig:
    """Settings of popularity; with the defaults it counts all interactions.

    half_life: days after which an interaction counts half, before the last one of all users; 0: all count the same. It
        has no effect without times.
    rise: ρ, exponent of an item's rise, at least 0; the larger it is, the more trending items come first. It has no
        effect without a half_life.
    """

    half_life: float = 0.0
    rise: float = 0.0

    def __post_init__(self) -> None:
        if self.half_life < 0 or self.rise < 0:
            raise DataError("popularity: half_life and rise must not be negative")


class Popularity(Model[PopularityConfig]):
    """score(u, i) = r_i ((r_i + 1) / (e_i + 1))^ρ; with the defaults d_i, the number of distinct users of item i.

    r_i = Σ_u ½^(age/half-life) is the recent rate of the item, the age being that of the latest interaction of the
    user with it, and e_i = d_i Σ r / Σ d is the rate that it would have if its share of all interactions were constant.
    With ρ > 0 items whose rate rises come first (trending). The baseline that a run must beat to be published has the
    defaults.
    """

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
        """Count the distinct users of each item, weighted by age."""
        c, time = self.config, interactions.time
        now = int(time.max()) if time is not None and len(time) else 0
        pairs = weigh_by_age(interactions, c.half_life, now)
        counts = np.bincount(pairs.indices, minlength=interactions.num_items)
        recent = np.bincount(pairs.indices, pairs.data, minlength=interactions.num_items)
        expected = counts * (recent.sum() / max(counts.sum(), 1))
        scores = recent * ((recent + 1) / (expected + 1)) ** c.rise
        self.num_users_of = torch.from_numpy(scores.astype(np.float32))
        if progress is not None:
            progress(1, 1)

    def score(self, user_index: IndexArray) -> Tensor:
        """The counts d_i, or rates [batch, num_items] float32; all rows are equal."""
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
