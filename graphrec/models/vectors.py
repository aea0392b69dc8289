"""The base class of models that consist of vectors of users and items."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import State, csr_tensor
from graphrec.models.base import Embeddings, Model
from graphrec.vocabulary import IndexArray

C = TypeVar("C")

#: Ridge penalty of the map for new users, as a share of the mean eigenvalue of its normal matrix.
RIDGE = 1e-2


class VectorModel(Model[C]):
    """score(u, i) = x_u · x_i; a subclass fits `users` [num_users, dim] and `items` [num_items, dim].

    A user who was not in training is represented by the mean vector of their items.
    """

    has_signed_scores = True

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.users = torch.empty(0, 0)
        self.items = torch.empty(0, 0)

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products [batch, num_items] float32."""
        return self.users[torch.from_numpy(user_index).to(self.device)] @ self.items.T

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Dot products [batch, m] float32."""
        users = self.users[torch.from_numpy(user_index).to(self.device)]
        return torch.einsum("bd,bmd->bm", users, self.items[torch.from_numpy(item_index).to(self.device)])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of users with the mean vector of their items: an approximation."""
        return mean_rows(history, self.items) @ self.items.T

    def embeddings(self) -> Embeddings:
        """The vectors."""
        return Embeddings(self.users, self.items)

    def similarity_vectors(self) -> Tensor:
        """The item vectors [num_items, dim]."""
        return self.embeddings().items

    def state(self) -> State:
        """The vectors."""
        return {"users": self.users.cpu(), "items": self.items.cpu()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore the vectors."""
        self.users, self.items = (state[name].to(self.device) for name in ("users", "items"))


def mean_rows(history: sparse.csr_array, x: Tensor) -> Tensor:
    """The mean rows [batch, dim] of x [num_items, dim] over histories [batch, num_items]; 0 for an empty history."""
    total = torch.from_numpy(history.sum(axis=1)).to(x.device).clamp(min=1).unsqueeze(1)  # [batch, 1]
    mean: Tensor = csr_tensor(history).to(x.device) @ x / total
    return mean


def fit_history_map(history: sparse.csr_array, users: Tensor, items: Tensor) -> Tensor:
    """The map W [dim, dim] from mean item vectors to user vectors: the ridge solution of min ‖M W − X‖² over the users
    with a history, where M [n, dim] are the mean vectors of their items and X [n, dim] their vectors."""
    has_items = torch.from_numpy(np.diff(history.indptr) > 0).to(users.device)
    means = mean_rows(history, items)[has_items]  # [n, dim]
    normal = means.T @ means
    ridge = RIDGE * normal.diagonal().mean().clamp(min=1e-12)
    identity = torch.eye(len(normal), device=users.device)
    solution: Tensor = torch.linalg.solve(normal + ridge * identity, means.T @ users[has_items])
    return solution
