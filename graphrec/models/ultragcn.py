"""UltraGCN: vectors trained with a loss that approximates the limit of infinitely many graph convolutions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.linalg.sparse import topk_gram, zero_diagonal
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData, compute_l2_penalty
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.training.batches import PairBatch, cap_batch_size, pair_batches
from graphrec.training.objectives import Batch, Encode


@dataclass(frozen=True)
class UltraGCNConfig(EmbeddingConfig):
    """Settings of ultragcn, besides those that `EmbeddingConfig` describes.

    num_negatives: number of uniform negatives that all interactions of a batch share, at least 1.
    negative_weight: γ, at least 0; the weight of the mean over the negatives is γ times the number of items. The
        paper's 300 on Gowalla is γ = 0.0073.
    constraint: c from 0 to 1, share of β in the weight 1 − c + c β of a pair; 0 weighs all pairs equally.
    neighbours: number of similar items of each item in the item-item term, at least 1.
    neighbour_weight: η, weight of the item-item term, at least 0.
    loss: must be softmax, though the model has another loss: both share the negatives of a batch.
    negatives: must be uniform.
    temperature: not used.
    positive_temperature: must be 0.
    cosine: must be false.
    correction: not used.
    """

    loss: str = "softmax"
    num_negatives: int = 256
    negative_weight: float = 0.0073
    constraint: float = 0.5
    neighbours: int = 10
    neighbour_weight: float = 1.0
    batch_size: int = 1024
    epochs: int = 20
    warm_start: bool = True

    def __post_init__(self) -> None:
        if self.loss != "softmax" or self.negatives != "uniform" or self.cosine or self.positive_temperature:
            raise DataError(
                "ultragcn: this model has its own loss; leave out loss, negatives, cosine and positive_temperature"
            )
        super().__post_init__()
        if min(self.num_negatives, self.neighbours) < 1 or min(self.negative_weight, self.neighbour_weight) < 0:
            raise DataError(
                "ultragcn: num_negatives and neighbours are at least 1, negative_weight and neighbour_weight at least 0"
            )
        if not 0 <= self.constraint <= 1:
            raise DataError("ultragcn: constraint is between 0 and 1")


@dataclass(frozen=True, eq=False)
class Constraints:
    """The weights of pairs, β_ui = user_factor[u] · item_factor[i], and the nearest items of each item with weights ω.

    user_factor: [num_users].
    item_factor: [num_items].
    nearest: positions of the nearest items, [num_items, neighbours]; padded with the item itself.
    omega: ω of the nearest items, [num_items, neighbours]; 0 for padding.
    """

    user_factor: Tensor
    item_factor: Tensor
    nearest: Tensor
    omega: Tensor

    @classmethod
    def of(cls, matrix: sparse.csr_array, neighbours: int, device: torch.device) -> "Constraints":
        """The constraints of an interaction matrix [num_users, num_items].

        β_ui = √(d_u + 1) / d_u / √(d_i + 1) with the degrees d, and ω_ij = G_ij / (g_i − G_ii) · √(g_i / g_j) with
        G = RᵀR and its row sums g, as in the paper; the nearest items of i are the j ≠ i with the largest ω_ij.
        """
        user_degree, item_degree = (np.maximum(matrix.sum(axis=axis), 1).astype(np.float64) for axis in (1, 0))
        nearest, omega = _find_nearest_items(matrix, neighbours)
        arrays = (np.sqrt(user_degree + 1) / user_degree, 1 / np.sqrt(item_degree + 1), omega)
        user_factor, item_factor, weights = (torch.from_numpy(array.astype(np.float32)).to(device) for array in arrays)
        return cls(user_factor, item_factor, torch.from_numpy(nearest).to(device), weights)


class UltraGCN(EmbeddingModel[UltraGCNConfig]):
    """score(u, i) = x_u · y_i with trained vectors of users and items (Mao et al., CIKM 2021).

    The loss of an interaction (u, i) is
    − w_ui log σ(x_u · y_i) − |I| γ mean_j w_uj log σ(−x_u · y_j) − η Σ_k ω_ik log σ(x_u · y_k)
    over the negatives j and the items k nearest to i, with w = 1 − c + c β, the constraint share c, the number of items
    |I|, the weights γ of negatives and η of neighbours, and β and ω as in `Constraints`.

    Differs from the authors' code: 1 − c instead of 1e-6; a batch shares its negatives, which costs one dense product,
    and skips those that the user chose; an item is not its own neighbour; weight decay is on the users and chosen items
    of a batch instead of all vectors; losses are means instead of sums.
    """

    config_class = UltraGCNConfig

    def __init__(self, config: UltraGCNConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self._constraints: Constraints | None = None  # of the current training data

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that returns some rows of x, or all. Also computes the constraints of the training data."""
        self._constraints = Constraints.of(training.matrix, self.config.neighbours, self.device)
        return lambda rows: x if rows is None else x[torch.from_numpy(rows).to(x.device)]

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """All interactions in random order; each batch shares its negatives."""
        size = cap_batch_size(self.config.batch_size, training.matrix.nnz)
        return pair_batches(training.matrix, size, self.config.num_negatives, True, rng)

    def loss(
        self,
        x: Tensor,
        encode: Encode,  # noqa: ARG002  # the vectors are the parameters
        batch: Batch,
        training: TrainingData,
        rng: np.random.Generator,  # noqa: ARG002  # nothing is drawn
    ) -> Tensor:
        """The mean over the interactions of a batch, plus weight_decay/2 · the squared vectors of their nodes."""
        assert isinstance(batch, PairBatch), "ultragcn builds pair batches"
        constraints = self._constraints or Constraints.of(training.matrix, self.config.neighbours, self.device)
        value = constraint_loss(x, batch, training.matrix, constraints, self.config)
        chosen = replace(batch, negative=batch.negative[:0])
        return value + self.config.weight_decay * compute_l2_penalty(x, chosen, training.num_users)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[UltraGCNConfig]:  # noqa: ARG003  # the same for every graph
        """The weight of negatives of the paper, and a third of it."""
        return [UltraGCNConfig(), UltraGCNConfig(negative_weight=0.0025)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The weights of the terms of the loss, the learning rate, the weight decay and the number of epochs."""
        return {
            "negative_weight": Range(1e-4, 0.1, log=True),
            "neighbour_weight": Range(1e-3, 10.0, log=True),
            "learning_rate": Range(3e-4, 1e-2, log=True),
            "weight_decay": Range(1e-6, 1e-2, log=True),
            "constraint": Range(0.0, 1.0),
            "epochs": Range(10, 60, log=True),
        }


def constraint_loss(
    x: Tensor, batch: PairBatch, matrix: sparse.csr_array, constraints: Constraints, config: UltraGCNConfig
) -> Tensor:
    """The mean loss of the interactions of a batch with shared negatives [n], from vectors x [num_nodes, dim]."""
    num_users, c = int(matrix.shape[0]), config.constraint
    user, positive, negative = (
        torch.from_numpy(index).to(x.device) for index in (batch.user, batch.positive, batch.negative)
    )
    users, items = x[user], x[num_users:]
    beta_user, beta_item = constraints.user_factor[user], constraints.item_factor
    weight = 1 - c + c * beta_user * beta_item[positive]  # [batch]
    positive_loss = weight * F.softplus(-(users * items[positive]).sum(1))
    is_negative = torch.from_numpy(matrix[batch.user][:, batch.negative].toarray() == 0).to(x.device)  # [batch, n]
    weight = (1 - c + c * beta_user.unsqueeze(1) * beta_item[negative]) * is_negative
    negative_loss = (weight * F.softplus(users @ items[negative].T)).mean(1)
    neighbours = F.embedding(constraints.nearest[positive], items)  # [batch, neighbours, dim]
    neighbour_scores = (neighbours * users.unsqueeze(1)).sum(2)  # a batched matrix product is half as fast
    neighbour_loss = constraints.omega[positive] * F.softplus(-neighbour_scores)
    negative_factor = config.negative_weight * len(items)
    return (positive_loss + negative_factor * negative_loss + config.neighbour_weight * neighbour_loss.sum(1)).mean()


def _find_nearest_items(
    matrix: sparse.csr_array, neighbours: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The positions of the nearest items and their ω, both [num_items, neighbours]."""
    total = matrix.T @ matrix.sum(axis=1).astype(np.float64)  # g [num_items]
    others = np.maximum(total - matrix.sum(axis=0), 1.0)  # g_i − G_ii; 0 only without other items

    def finish(rows: sparse.csr_array, start: int) -> None:
        item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        rows.data *= (np.sqrt(total[item] / total[rows.indices]) / others[item]).astype(np.float32)
        zero_diagonal(rows, start)

    omega = topk_gram(matrix, matrix, neighbours, finish)
    count = np.diff(omega.indptr)
    nearest = np.repeat(np.arange(len(count), dtype=np.int64)[:, None], neighbours, axis=1)
    weights = np.zeros(nearest.shape)
    row = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(row)) - np.repeat(omega.indptr[:-1], count)
    nearest[row, rank], weights[row, rank] = omega.indices, omega.data
    return nearest, weights
