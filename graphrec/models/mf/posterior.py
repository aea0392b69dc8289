"""Predicted ratings from draws of a factorisation's posterior, also for users who were not in training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import State
from graphrec.linalg.threads import one_thread
from graphrec.vocabulary import IndexArray

#: Rounds in which the vector and the noise of a new user settle.
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class RatingPosterior:
    """Draws s of a matrix factorisation; a prediction is mean + Σ_s x_u(s) · y_i(s) / S, cut to the range of ratings.

    users [num_users, S, dim], items [num_items, S, dim]; for new users the prior of a user's vector, with mean
    centre [1, S, dim] + Σ_rated loadings [num_items or 0, S, dim] / √rated and precision spread [dim, S, dim], and
    sharpness [1, S], the precision of a rating. span: mean, least and greatest training rating. freedom: of the
    users' noise.
    """

    users: Tensor
    items: Tensor
    loadings: Tensor
    centre: Tensor
    spread: Tensor
    sharpness: Tensor
    span: Tensor
    freedom: float

    def score(self, user_index: IndexArray) -> Tensor:
        """Predicted ratings [batch, num_items] float32."""
        return self._ratings(self._rows(self.users, user_index).flatten(1) @ self.items.flatten(1).T)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Predicted ratings [batch, m] float32 of the items [batch, m], without those of other items."""
        items = self._rows(self.items, item_index.ravel()).view(*item_index.shape, -1)  # [batch, m, S · dim]
        users = self._rows(self.users, user_index).flatten(1)
        return self._ratings((items @ users.unsqueeze(2)).squeeze(2))

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Predicted ratings [batch, num_items] float32 of new users, from their ratings [batch, num_items].

        Each draw gives the conditional mean of the user's vector, as in training; the user's noise is its mean
        given the vector, a few times in turn, where training draws it.
        """
        device = self.items.device
        with one_thread(device.type == "cpu"):  # many small systems
            rows = [self._sample_user(*_row(history, row, device)) for row in range(int(history.shape[0]))]
        found = torch.stack(rows) if rows else self.users[:0]  # [batch, S, dim]
        return self._ratings(found.flatten(1) @ self.items.flatten(1).T)

    def state(self) -> State:
        """All tensors, on the CPU."""
        return {name: value.cpu() for name, value in vars(self).items() if name != "freedom"}

    @classmethod
    def restored(cls, state: Mapping[str, Tensor], freedom: float, device: torch.device) -> "RatingPosterior":
        """The posterior of a state, on a device."""
        return cls(**{name: value.to(device) for name, value in state.items()}, freedom=freedom)

    def _sample_user(self, rated: Tensor, ratings: Tensor) -> Tensor:
        """The vectors [S, dim] of a user with `ratings` [n] of the items `rated` [n]."""
        items = self.items[rated].permute(1, 0, 2)  # [S, n, dim]
        prior = self.centre[0].clone()  # [S, dim]
        if len(rated) and len(self.loadings):
            prior += self.loadings[rated].sum(0) / len(rated) ** 0.5
        spread = self.spread.permute(1, 0, 2)  # [S, dim, dim]
        gram, target = items.mT @ items, (items.mT @ (ratings - self.span[0])).unsqueeze(2)
        pulled = spread @ prior.unsqueeze(2)
        weight = torch.ones_like(self.sharpness[0])  # [S]
        vectors = prior
        for _ in range(ROUNDS if self.freedom else 1):
            noise = (weight * self.sharpness[0]).view(-1, 1, 1)
            vectors = torch.linalg.solve(spread + noise * gram, pulled + noise * target).squeeze(2)
            errors = (items @ vectors.unsqueeze(2)).squeeze(2) - (ratings - self.span[0])  # [S, n]
            weight = (len(rated) + self.freedom) / (self.freedom + self.sharpness[0] * errors.square().sum(1))
        return vectors

    def _rows(self, table: Tensor, index: IndexArray) -> Tensor:
        return table[torch.from_numpy(np.ascontiguousarray(index)).to(table.device)]

    def _ratings(self, products: Tensor) -> Tensor:
        mean, low, high = self.span.tolist()
        ratings: Tensor = products / self.users.shape[1] + mean
        return ratings.clamp_(low, high)


def _row(history: sparse.csr_array, row: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The items [n] that a row of a CSR matrix holds, and its values [n]."""
    part = slice(history.indptr[row], history.indptr[row + 1])
    rated, ratings = history.indices[part].astype(np.int64), history.data[part].astype(np.float32)
    return torch.from_numpy(rated).to(device), torch.from_numpy(ratings).to(device)
