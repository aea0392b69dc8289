"""The objective of an embedding model: the batches of its loss, and its value from the vectors of a batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor

from graphrec.training.batches import (
    PairBatch,
    UserBatch,
    cap_batch_size,
    pair_batches,
    select_items,
    user_batches,
)
from graphrec.training.losses import bpr_loss, in_batch_softmax_loss, mse_loss, sampled_softmax_loss
from graphrec.training.softmax import catalogue_softmax_loss
from graphrec.vocabulary import IndexArray

#: Function that returns the vectors [n, dim] of some nodes (users first, then items), or of all for None.
Encode = Callable[[IndexArray | None], Tensor]

Batch = PairBatch | UserBatch

LOSSES = ("bpr", "softmax", "mse")
NEGATIVES = ("all", "popular", "batch", "uniform")


@dataclass(frozen=True)
class Objective:
    """A loss with its negatives.

    loss: bpr, softmax or mse.
    negatives: negatives of the softmax: all (all items), popular (drawn by √degree and shared by a batch of users; all
        items if num_negatives is at least their number), batch (the other items of the batch) or uniform (shared by a
        batch of interactions).
    num_negatives: number of sampled negatives: per interaction for bpr and mse, per batch for softmax.
    temperature: τ, by which scores are divided in the softmax.
    positive_temperature: τ⁺, by which the scores of positives are divided in the numerator of the softmax; 0 for τ.
    cosine: whether scores are cosines instead of dot products.
    correction: whether a softmax over sampled items subtracts the log of their expected frequency in the sample.
    popularity: β; β τ log(degree) of the item is added to each score, in training and in prediction.
    """

    loss: str = "bpr"
    negatives: str = "uniform"
    num_negatives: int = 1
    temperature: float = 0.1
    positive_temperature: float = 0.0
    cosine: bool = False
    correction: bool = True
    popularity: float = 0.0

    def batches(self, matrix: sparse.csr_array, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch of an interaction matrix [num_users, num_items]."""
        if self.loss == "softmax" and self.negatives in ("all", "popular"):
            sampled = self.negatives == "popular" and self.num_negatives < matrix.shape[1]
            return user_batches(matrix, batch_size, self.num_negatives if sampled else 0, rng)
        in_batch = self.loss == "softmax" and self.negatives == "batch"
        num_negatives = 0 if in_batch else self.num_negatives
        size = cap_batch_size(batch_size, matrix.nnz)
        return pair_batches(matrix, size, num_negatives, self.loss == "softmax", rng)

    def value(self, encode: Encode, batch: Batch, matrix: sparse.csr_array) -> Tensor:
        """The mean loss of a batch, a scalar tensor."""
        num_users, num_items = matrix.shape
        if isinstance(batch, UserBatch):
            if batch.sample is not None:
                batch, items = select_items(batch)
                vectors = self.vectors(encode, np.concatenate([batch.user, num_users + items]), matrix)
                users, item_vectors = vectors[: len(batch.user)], vectors[len(batch.user) :]
            else:
                vectors = self.vectors(encode, None, matrix)
                users, item_vectors = vectors[torch.from_numpy(batch.user).to(vectors.device)], vectors[num_users:]
            return catalogue_softmax_loss(
                users, item_vectors, batch.history, self.temperature, batch.sample, self.positive_temperature
            )
        user, positive, negative = self._batch_vectors(encode, batch, matrix)
        if self.loss != "softmax":
            return self.pairwise_loss((user * positive).sum(-1), (user.unsqueeze(1) * negative).sum(-1))
        if self.negatives == "batch":
            item_index = torch.from_numpy(batch.positive).to(user.device)
            frequency = np.bincount(matrix.indices, minlength=num_items)[batch.positive] * (len(user) / matrix.nnz)
            log_q = torch.from_numpy(np.log(frequency).astype(np.float32)).to(user.device) if self.correction else None
            return in_batch_softmax_loss(user, positive, item_index, self.temperature, log_q, self.positive_temperature)
        hits = torch.from_numpy(matrix[batch.user][:, batch.negative].toarray() > 0).to(user.device)
        expected = user.new_full((len(batch.negative),), float(np.log(len(batch.negative) / num_items)))
        log_q = expected if self.correction else None
        positive_score, scores = (user * positive).sum(-1), user @ negative.T
        return sampled_softmax_loss(positive_score, scores, self.temperature, log_q, hits, self.positive_temperature)

    def vectors(self, encode: Encode, rows: IndexArray | None, matrix: sparse.csr_array) -> Tensor:
        """The vectors [n, dim] of some nodes, or of all, whose dot products are scores.

        With popularity, they have one more column: 1 for users, and β τ log(degree / mean degree) for items.
        """
        scaled = self.scale_vectors(encode(rows))
        if not self.popularity:
            return scaled
        num_users, num_items = matrix.shape
        bias = np.ones(num_users + num_items, dtype=np.float32)
        degree = np.maximum(np.bincount(matrix.indices, minlength=num_items), 1)
        # relative to the mean degree, so that few scores are exactly 0, which would mean no information
        bias[num_users:] = self.temperature * self.popularity * np.log(degree * (num_items / max(matrix.nnz, 1)))
        column = torch.from_numpy(bias if rows is None else bias[rows]).to(scaled.device).unsqueeze(1)
        return torch.cat([scaled, column], dim=1)

    def scale_vectors(self, vectors: Tensor) -> Tensor:
        """Vectors [n, dim], scaled to length 1 for cosines and unchanged for dot products."""
        # the larger eps keeps the gradient of zero vectors finite
        return F.normalize(vectors, dim=-1, eps=1e-6) if self.cosine else vectors

    def pairwise_loss(self, positive: Tensor, negative: Tensor) -> Tensor:
        """The bpr or mse loss of scores of positives [batch] and negatives [batch] or [batch, n]."""
        if self.loss == "bpr":
            return bpr_loss(positive, negative)
        loss = mse_loss(positive, torch.ones_like(positive))
        return loss + mse_loss(negative, torch.zeros_like(negative)) if negative.numel() else loss

    def _batch_vectors(
        self, encode: Encode, batch: PairBatch, matrix: sparse.csr_array
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Users [batch, dim], positives [batch, dim] and negatives [batch, n, dim] or [n, dim] of a batch."""
        num_users = int(matrix.shape[0])
        nodes = np.concatenate([batch.user, num_users + batch.positive, num_users + batch.negative.ravel()])
        rows, index = np.unique(nodes, return_inverse=True)
        vectors = self.vectors(encode, rows, matrix)  # [rows, dim]
        batch_vectors = vectors[torch.from_numpy(index).to(vectors.device)]
        size = len(batch.user)
        user, positive, negative = batch_vectors[:size], batch_vectors[size : 2 * size], batch_vectors[2 * size :]
        return user, positive, negative.view(*batch.negative.shape, vectors.shape[1])
