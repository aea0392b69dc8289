"""The base class of models whose scores are a user's row of the interaction matrix times an item-item matrix."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.linalg.sparse import dense
from graphrec.models.attribution import HistoryAttribution, score_single_items
from graphrec.models.base import Model
from graphrec.models.recency import RecencyConfig, RecencyModel
from graphrec.vocabulary import IndexArray

Config = TypeVar("Config")
RecentConfig = TypeVar("RecentConfig", bound=RecencyConfig)


class ItemWeightsModel(Model[Config]):
    """score(u, ·) = r_u W with the user's row r_u [num_items] of the interaction matrix and sparse item weights W
    [num_items, num_items]; a subclass fits W.

    scipy computes the products, since it multiplies sparse matrices faster than torch; the scores are moved to the
    device.
    """

    def __init__(self, config: Config, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.weights = empty_csr()  # W [num_items, num_items]
        self.history = empty_csr()  # [num_users, num_items]

    def score(self, user_index: IndexArray) -> Tensor:
        """Sums of weights r_u W [batch, num_items] float32."""
        return self.fold_in(self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Sums of weights [batch, num_items] float32 for histories [batch, num_items], exactly as in training."""
        return dense((history @ self.weights).tocsr()).to(self.device)

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:  # noqa: ARG002
        """The weight of the target for each item of the history, which is its exact contribution."""
        return HistoryAttribution(score_single_items(self.fold_in, history, item_index), exact=True)

    def state(self) -> State:
        """The weights and the training histories."""
        return pack("weights", self.weights) | pack("history", self.history)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore weights and histories."""
        self.weights = unpack("weights", state)
        self.history = unpack("history", state)


class RecentItemWeightsModel(RecencyModel[RecentConfig], ItemWeightsModel[RecentConfig]):
    """An ItemWeightsModel whose row r_u is weighted by age, and whose scores are multiplied by `revisit`."""

    def state(self) -> State:
        """The item weights, the weighted histories, and the pairs of other behaviours if there are any."""
        return ItemWeightsModel.state(self) | RecencyModel.state(self)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore weights, histories and pairs."""
        ItemWeightsModel.restore(self, state)
        RecencyModel.restore(self, state)
