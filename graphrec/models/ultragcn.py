"""UltraGCN: vectors trained towards the limit of infinitely many graph convolutions, without any."""

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
from graphrec.linalg.sparse import topk_gram, without_diagonal
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData, decay
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.training.batches import PairBatch, cap_batch_size, pair_batches
from graphrec.training.objectives import Batch, Encode


@dataclass(frozen=True)
class UltraGCNConfig(EmbeddingConfig):
    """Settings of ultragcn.

    embedding_dim: length of the vectors.
    num_negatives: items that all interactions of a batch share as negatives, uniform among all items.
    negative_weight: weight of the mean over the negatives against one interaction, for each item of the catalogue;
        the paper's 300 on Gowalla are 0.0073.
    constraint: weight of β, the constraint of the limit, in that of a pair: 1 is β alone, 0 weighs all pairs alike.
    neighbours: similar items of each item that its users are pulled towards.
    neighbour_weight: weight of that pull.
    learning_rate: of Adam.
    final_rate: the share of the learning rate that is left in the last epoch; it falls linearly.
    weight_decay: weight of the squared vectors of the users and chosen items of a batch.
    batch_size: interactions in one step, at most a sixteenth of all.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial vectors, or their root mean square after a warm start.
    warm_start: whether to begin with the singular vectors of the interaction matrix instead of noise.
    loss: softmax, with which this model has in common that a batch shares its negatives; its loss is its own.
    negatives: uniform.
    temperature: not read.
    cosine: false.
    correction: not read.
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
        super().__post_init__()
        if min(self.num_negatives, self.neighbours) < 1 or min(self.negative_weight, self.neighbour_weight) < 0:
            raise DataError(
                "ultragcn: num_negatives and neighbours are at least 1, negative_weight and neighbour_weight at least 0"
            )
        if not 0 <= self.constraint <= 1:
            raise DataError("ultragcn: constraint is between 0 and 1")
        if self.loss != "softmax" or self.negatives != "uniform" or self.cosine:
            raise DataError("ultragcn: this model has a loss of its own; leave loss, negatives and cosine out")


@dataclass(frozen=True, eq=False)
class Constraints:
    """β_ui = of_user[u] · of_item[i], and the nearest items of each item with their ω, both [num_items, neighbours].

    An item with fewer neighbours is filled up with itself at ω = 0.
    """

    of_user: Tensor  # [num_users]
    of_item: Tensor  # [num_items]
    nearest: Tensor  # [num_items, neighbours] int64
    omega: Tensor  # [num_items, neighbours]

    @classmethod
    def of(cls, matrix: sparse.csr_array, neighbours: int, device: torch.device) -> "Constraints":
        """The constraints of an interaction matrix [num_users, num_items].

        β_ui = √(d_u + 1) / d_u / √(d_i + 1); ω_ij = G_ij / (g_i − G_ii) · √(g_i / g_j), as in the paper, with
        G = RᵀR and g its row sums; the nearest of i are the j ≠ i with the largest ω_ij.
        """
        user_degree, item_degree = (np.maximum(matrix.sum(axis=axis), 1).astype(np.float64) for axis in (1, 0))
        nearest, omega = _nearest(matrix, neighbours)
        arrays = (np.sqrt(user_degree + 1) / user_degree, 1 / np.sqrt(item_degree + 1), omega)
        of_user, of_item, weights = (torch.from_numpy(array.astype(np.float32)).to(device) for array in arrays)
        return cls(of_user, of_item, torch.from_numpy(nearest).to(device), weights)


class UltraGCN(EmbeddingModel[UltraGCNConfig]):
    """score(u, i) = x_u · y_i with vectors trained under constraints (Mao et al., CIKM 2021).

    For each interaction (u, i), with w = 1 − constraint + constraint · β:
    − w_ui log σ(u·i) − num_items · negative_weight · mean_j w_uj log σ(−u·j)
    − neighbour_weight · Σ_{k nearest i} ω_ik log σ(u·k).
    The paper's code has 1e-6 where we have 1 − constraint, draws negatives for each interaction (here a batch shares
    them, so that they cost one dense product; those that a user chose are left out), counts an item among its own
    neighbours, and decays all vectors in each step (here those of the users and the chosen items of a batch). Its
    losses are sums, ours are means.
    """

    config_class = UltraGCNConfig

    def __init__(self, config: UltraGCNConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self._constraints: Constraints | None = None  # of the data that is being trained on

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """Some rows of x, or all; computes the constraints of the training data."""
        self._constraints = Constraints.of(training.matrix, self.config.neighbours, self.device)
        return lambda rows: x if rows is None else x[torch.from_numpy(rows).to(x.device)]

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """All interactions in random order, with negatives that a batch shares."""
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
        assert isinstance(batch, PairBatch), "ultragcn makes its own batches"
        constraints = self._constraints or Constraints.of(training.matrix, self.config.neighbours, self.device)
        value = constraint_loss(x, batch, training.matrix, constraints, self.config)
        chosen = replace(batch, negative=batch.negative[:0])
        return value + self.config.weight_decay * decay(x, chosen, training.num_users)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[UltraGCNConfig]:  # noqa: ARG003  # the same for every graph
        """As much weight on negatives as in the paper, or a third of it."""
        return [UltraGCNConfig(), UltraGCNConfig(negative_weight=0.0025)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The weights of the three parts, and how fast and long to train."""
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
    beta_user, beta_item = constraints.of_user[user], constraints.of_item
    weight = 1 - c + c * beta_user * beta_item[positive]  # [batch]
    pulled = weight * F.softplus(-(users * items[positive]).sum(1))
    free = torch.from_numpy(matrix[batch.user][:, batch.negative].toarray() == 0).to(x.device)  # [batch, n]
    weight = (1 - c + c * beta_user.unsqueeze(1) * beta_item[negative]) * free
    pushed = (weight * F.softplus(users @ items[negative].T)).mean(1)
    near = F.embedding(constraints.nearest[positive], items)  # [batch, neighbours, dim]
    closeness = (near * users.unsqueeze(1)).sum(2)  # a product of so many small matrices takes twice as long
    similarity_loss = constraints.omega[positive] * F.softplus(-closeness)
    pushing = config.negative_weight * len(items)
    return (pulled + pushing * pushed + config.neighbour_weight * similarity_loss.sum(1)).mean()


def _nearest(matrix: sparse.csr_array, neighbours: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The nearest items and their ω, both [num_items, neighbours]."""
    total = matrix.T @ matrix.sum(axis=1).astype(np.float64)  # g [num_items]
    others = np.maximum(total - matrix.sum(axis=0), 1.0)  # g_i − G_ii; 0 only without other items

    def finish(rows: sparse.csr_array, start: int) -> None:
        item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        rows.data *= (np.sqrt(total[item] / total[rows.indices]) / others[item]).astype(np.float32)
        without_diagonal(rows, start)

    omega = topk_gram(matrix, matrix, neighbours, finish)
    count = np.diff(omega.indptr)
    nearest = np.repeat(np.arange(len(count), dtype=np.int64)[:, None], neighbours, axis=1)
    weights = np.zeros(nearest.shape)
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(omega.indptr[:-1], count)
    nearest[row, place], weights[row, place] = omega.indices, omega.data
    return nearest, weights
