"""LightGCN: embeddings smoothed over the user-item graph and trained by pairwise ranking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import Embeddings, Model, Progress, State, csr_tensor
from graphrec.models.propagation import Adjacency, layers, propagate
from graphrec.models.threads import one_thread
from graphrec.training.loop import Stopping, train
from graphrec.training.losses import bpr_loss
from graphrec.training.sampling import Positives, uniform_negatives
from graphrec.vocabulary import IndexArray

#: Users whose held-out items are ranked to decide about an early stop.
STOPPING_USERS = 1000

#: Multiplications of one propagation below which a second thread costs more than it brings.
SMALL = 1 << 24

Batch = tuple[IndexArray, IndexArray, IndexArray]


@dataclass(frozen=True)
class LightGCNConfig:
    """Settings of lightgcn.

    embedding_dim: length of the vectors.
    num_layers: products with the adjacency whose results are averaged, with the embeddings as layer 0.
    learning_rate: of Adam.
    weight_decay: weight of the squared layer-0 embeddings of a batch.
    batch_size: interactions in one step.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial embeddings.
    device: where training runs, cpu or cuda.
    """

    embedding_dim: int = 64
    num_layers: int = 3
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    batch_size: int = 2048
    epochs: int = 40
    patience: int = 0
    init_std: float = 0.1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if min(self.embedding_dim, self.batch_size, self.epochs) < 1 or min(self.num_layers, self.patience) < 0:
            raise DataError(
                "lightgcn: embedding_dim, batch_size and epochs are at least 1, num_layers and patience at least 0"
            )


class LightGCN(Model[LightGCNConfig]):
    """score(u, i) = e_u · e_i with e the mean of the layers Ãˡ E, l = 0..num_layers (He et al., SIGIR 2020).

    Trained by BPR with one uniform negative for each interaction and L2 on the layer-0 embeddings of the batch, as in
    the authors' code. Each epoch shuffles the interactions instead of drawing users with replacement.
    Users and items without any interaction keep the vector 0: nothing is known about them.
    """

    config_class = LightGCNConfig
    signed = True

    def __init__(self, config: LightGCNConfig) -> None:
        super().__init__(config)
        self.users = torch.empty(0, 0)  # [num_users, dim], smoothed
        self.items = torch.empty(0, 0)  # [num_items, dim], smoothed
        self.incoming = torch.empty(0, 0)  # [num_items, dim], what an item sends to a new user of degree one

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # this model reads the target behaviour alone
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the embeddings and keep them smoothed."""
        c = self.config
        held = rng.random(len(interactions)) < (0.05 if c.patience else 0.0)
        matrix = interactions.take(~held).matrix()
        if not matrix.nnz:
            raise DataError("lightgcn: there are no interactions to learn from; load more")
        device = torch.device(c.device)
        adjacency = Adjacency.of(matrix, device)
        start = rng.normal(0.0, c.init_std, (sum(matrix.shape), c.embedding_dim)).astype(np.float32)
        x = torch.from_numpy(start).to(device).requires_grad_()
        optimizer = torch.optim.Adam([x], lr=c.learning_rate, fused=True)
        stopping = None
        if c.patience:
            stopping = Stopping(lambda: self._recall(x, adjacency, matrix, interactions.take(held)), 5, c.patience)
        with one_thread(adjacency.matrix.nnz * c.embedding_dim < SMALL):
            train(
                [x],
                optimizer,
                lambda: batches(matrix, c.batch_size, rng),
                lambda batch: self.loss(x, adjacency, batch, int(matrix.shape[0])),
                c.epochs,
                progress,
                stopping,
            )
        self._smooth(x.detach(), adjacency, matrix)

    def loss(self, x: Tensor, adjacency: Adjacency, batch: Batch, num_users: int) -> Tensor:
        """BPR of a batch plus weight_decay/2 · the squared layer-0 embeddings x [n, dim] for each interaction."""
        user, positive, negative = batch
        nodes = np.concatenate([user, num_users + positive, num_users + negative])
        rows, place = np.unique(nodes, return_inverse=True)
        smooth = propagate(x, adjacency, self.config.num_layers, rows)  # [rows, dim]
        u, i, j = smooth[torch.from_numpy(place).to(x.device)].view(3, len(user), -1)
        first = x[torch.from_numpy(nodes).to(x.device)]
        decay = first.square().sum() / (2 * len(user))
        return bpr_loss((u * i).sum(-1), (u * j).sum(-1)) + self.config.weight_decay * decay

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products [batch, num_items] float32."""
        return self.users[torch.from_numpy(user_index)] @ self.items.T

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users, smoothed from the trained items (layer 0 counts as 0)."""
        degree = np.maximum(np.diff(history.indptr), 1).astype(np.float32)
        users = (csr_tensor(history) @ self.incoming) / torch.from_numpy(np.sqrt(degree))[:, None]
        return users @ self.items.T

    def embeddings(self) -> Embeddings:
        """The smoothed vectors, whose dot products are the scores."""
        return Embeddings(self.users, self.items)

    def state(self) -> State:
        """The smoothed vectors, and what an item sends to a new user."""
        return {"users": self.users, "items": self.items, "incoming": self.incoming}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over the vectors."""
        self.users, self.items, self.incoming = (state[name] for name in ("users", "items", "incoming"))

    def _smooth(self, x: Tensor, adjacency: Adjacency, matrix: sparse.csr_array) -> None:
        num_users = int(matrix.shape[0])
        found = layers(x, adjacency, self.config.num_layers)
        degree = torch.from_numpy(np.diff(adjacency.matrix.indptr))
        mean = (torch.stack(found).mean(0).cpu()) * (degree > 0)[:, None]
        self.users, self.items = mean[:num_users].clone(), mean[num_users:].clone()
        damping = degree[num_users:].clamp(min=1).float().rsqrt()[:, None]
        sent = torch.stack(found[:-1]).sum(0).cpu()[num_users:] if self.config.num_layers else 0 * self.items
        self.incoming = sent * damping / (self.config.num_layers + 1)

    def _recall(self, x: Tensor, adjacency: Adjacency, matrix: sparse.csr_array, held: Interactions) -> float:
        """The share of held-out interactions among the first 20 unseen items of their users."""
        self._smooth(x.detach(), adjacency, matrix)
        users = np.unique(held.user_index)[:STOPPING_USERS]
        scores = self.score(users)
        seen, truth = matrix[users], held.matrix()[users]
        scores[torch.from_numpy(seen.toarray() > 0)] = -torch.inf
        best = scores.topk(min(20, scores.shape[1])).indices.numpy()
        hits = np.take_along_axis(truth.toarray(), best, axis=1).sum()
        return float(hits / max(truth.nnz, 1))


def batches(matrix: sparse.csr_array, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """All interactions of a matrix in random order, as (user, positive, negative) positions [batch_size] each."""
    user = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    item = matrix.indices.astype(np.int64)
    positives = Positives.of(matrix)
    order = rng.permutation(len(user))
    negative = uniform_negatives(user, positives, rng)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield user[rows], item[rows], negative[rows]
