"""Ratings predicted from draws of the posterior of a matrix factorisation, also for users who were not in training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import State
from graphrec.linalg.threads import one_thread
from graphrec.vocabulary import IndexArray

#: Number of iterations that alternate between the vector and the noise weight of a new user.
ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class RatingPosterior:
    """Draws s = 1 … S of a matrix factorisation; a prediction is m + Σ_s x_u^(s) · y_i^(s) / S, clipped to the bounds.

    The prior of a new user's vector has the mean centre + Σ loadings of the rated items / √(number of rated items).

    users: x, [num_users, S, dim].
    items: y, [num_items, S, dim].
    loadings: [num_items, S, dim]; [0, S, dim] without implicit terms.
    centre: [1, S, dim].
    spread: precision of the prior of a user's vector, [dim, S, dim].
    sharpness: precision of a rating, [1, S].
    span: mean m, minimum and maximum of the training ratings, [3].
    freedom: ν, degrees of freedom of the users' noise weights; 0 gives all users the same noise.
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
        return self._predict(self._select_rows(self.users, user_index).flatten(1) @ self.items.flatten(1).T)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Predicted ratings [batch, m] float32 of the items [batch, m]."""
        items = self._select_rows(self.items, item_index.ravel()).view(*item_index.shape, -1)  # [batch, m, S · dim]
        users = self._select_rows(self.users, user_index).flatten(1)
        return self._predict((items @ users.unsqueeze(2)).squeeze(2))

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Predicted ratings [batch, num_items] float32 of new users, from their ratings [batch, num_items].

        For each draw, the user's vector is its conditional mean, as in training. The user's noise weight, which
        training draws, is its mean given the vector; the two are computed in turn.
        """
        device = self.items.device
        with one_thread(device.type == "cpu"):  # many small linear systems
            rows = [self._solve_user(*_rated_items(history, row, device)) for row in range(int(history.shape[0]))]
        users = torch.stack(rows) if rows else self.users[:0]  # [batch, S, dim]
        return self._predict(users.flatten(1) @ self.items.flatten(1).T)

    def state(self) -> State:
        """All tensors, on the CPU."""
        return {name: value.cpu() for name, value in vars(self).items() if name != "freedom"}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], freedom: float, device: torch.device) -> "RatingPosterior":
        """The posterior of a `state`, on a device."""
        return cls(**{name: value.to(device) for name, value in state.items()}, freedom=freedom)

    def _solve_user(self, rated: Tensor, ratings: Tensor) -> Tensor:
        """The vectors [S, dim] of a user with `ratings` [n] of the items `rated` [n]."""
        items = self.items[rated].permute(1, 0, 2)  # [S, n, dim]
        prior = self.centre[0].clone()  # [S, dim]
        if len(rated) and len(self.loadings):
            prior += self.loadings[rated].sum(0) / len(rated) ** 0.5
        spread = self.spread.permute(1, 0, 2)  # [S, dim, dim]
        gram, target = items.mT @ items, (items.mT @ (ratings - self.span[0])).unsqueeze(2)
        prior_term = spread @ prior.unsqueeze(2)
        weight = torch.ones_like(self.sharpness[0])  # [S]
        vectors = prior
        for _ in range(ITERATIONS if self.freedom else 1):
            noise = (weight * self.sharpness[0]).view(-1, 1, 1)
            vectors = torch.linalg.solve(spread + noise * gram, prior_term + noise * target).squeeze(2)
            errors = (items @ vectors.unsqueeze(2)).squeeze(2) - (ratings - self.span[0])  # [S, n]
            weight = (len(rated) + self.freedom) / (self.freedom + self.sharpness[0] * errors.square().sum(1))
        return vectors

    def _select_rows(self, table: Tensor, index: IndexArray) -> Tensor:
        return table[torch.from_numpy(np.ascontiguousarray(index)).to(table.device)]

    def _predict(self, products: Tensor) -> Tensor:
        """Ratings from sums of dot products over all draws."""
        mean, low, high = self.span.tolist()
        ratings: Tensor = products / self.users.shape[1] + mean
        return ratings.clamp_(low, high)


def _rated_items(history: sparse.csr_array, row: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The items [n] of a row of a rating matrix, and the ratings [n]."""
    part = slice(history.indptr[row], history.indptr[row + 1])
    rated, ratings = history.indices[part].astype(np.int64), history.data[part].astype(np.float32)
    return torch.from_numpy(rated).to(device), torch.from_numpy(ratings).to(device)
