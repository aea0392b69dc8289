"""The base class of models with trained vectors: training, scores and fold-in."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, csr_tensor
from graphrec.linalg.threads import one_thread
from graphrec.models.base import Embeddings
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import Adjacency
from graphrec.models.spectral_init import compute_spectral_init
from graphrec.models.trained import STOPPING_EVERY, STOPPING_SHARE, TrainedModel, recall_of_held_out
from graphrec.progress import Progress
from graphrec.splitting.coherent import Mask
from graphrec.training.batches import PairBatch
from graphrec.training.loop import Stopping, TrainSchedule, train
from graphrec.training.objectives import Batch, Encode
from graphrec.vocabulary import IndexArray

#: Threshold in interactions times vector length below which one thread is faster than several.
ONE_THREAD_BELOW = 1 << 23


C = TypeVar("C", bound=EmbeddingConfig)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The data that an embedding model is trained on.

    graph: everything that the model may read besides the target behaviour.
    interactions: the training part of the target behaviour.
    matrix: its 0/1 matrix [num_users, num_items].
    validation: the part that is held out for early stopping; empty without early stopping.
    device: device that the model computes on.
    """

    graph: HeteroGraph
    interactions: Interactions
    matrix: sparse.csr_array
    validation: Interactions
    device: torch.device

    @property
    def num_users(self) -> int:
        """Number of users, which are nodes 0 … num_users − 1; items follow."""
        return self.interactions.num_users

    @property
    def num_nodes(self) -> int:
        """Number of users and items together."""
        return self.interactions.num_users + self.interactions.num_items

    @cached_property  # only models with a graph encoder need it
    def adjacency(self) -> Adjacency:
        """The normalised adjacency of users and items."""
        return Adjacency.of(self.matrix, self.device)

    def has_interactions(self) -> Tensor:
        """Whether each node has a training interaction, [num_nodes] bool."""
        degree = [np.diff(self.matrix.indptr), np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])]
        return torch.from_numpy(np.concatenate(degree) > 0).to(self.device)


class EmbeddingModel(TrainedModel[C]):
    """score(u, i) = e_u · e_i with vectors e of users and items that an encoder computes from trained parameters x.

    x [num_nodes, dim] has one row per user, followed by one row per item. A subclass defines the encoder
    (`build_encoder`) and may override the initial parameters (`initial_parameters`), the batches (`batches`), the loss
    (`loss`) and the message of an item to a new user (`item_messages`). A node without training interactions has the
    vector 0.
    """

    #: Exponent: `fold_in` divides the sum of the messages of n items by n to this power.
    damping: ClassVar[float] = 1.0

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.users = torch.empty(0, 0)  # [num_users, dim], of length one for cosines
        self.items = torch.empty(0, 0)  # [num_items, dim]
        self.incoming = torch.empty(0, 0)  # [num_items, dim], the message of an item to a new user

    @abstractmethod
    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that returns the vectors [n, dim] of nodes [n], or of all nodes for None, from the current x."""

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:
        """The initial parameters x [num_nodes, dim], on the CPU."""
        c = self.config
        if c.warm_start:
            return compute_spectral_init(training.matrix, c.embedding_dim, c.init_std, rng, equal=c.cosine)
        normal = rng.normal(0.0, c.init_std, (training.num_nodes, c.embedding_dim))
        return torch.from_numpy(normal.astype(np.float32))

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch."""
        return self.config.objective.batches(training.matrix, self.config.batch_size, rng)

    def loss(
        self,
        x: Tensor,
        encode: Encode,
        batch: Batch,
        training: TrainingData,
        rng: np.random.Generator,  # noqa: ARG002  # for losses that draw noise
    ) -> Tensor:
        """The objective of a batch plus weight_decay/2 · Σ ‖x_n‖² over its nodes n, per interaction of the batch."""
        value = self.config.objective.value(encode, batch, training.matrix)
        if not self.config.weight_decay:
            return value
        return value + self.config.weight_decay * compute_l2_penalty(x, batch, training.num_users)

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:  # noqa: ARG002  # the default needs neither
        """The message of each item to a new user, [num_items, dim]; `fold_in` sums messages over a history."""
        return self.items[:, :-1] if self.config.objective.popularity else self.items

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the parameters and store the vectors of users and items.

        With `patience`, a training on a part of the interactions finds the number of epochs that ranks the others best;
        a second one of so many epochs, on all interactions, is kept, and `config` has the number as `stop_epoch`.

        Raises:
            DataError: there are no interactions, or the checkpoint belongs to another training.
            GraphrecError: the checkpoint cannot be read or written.
        """
        c = self.config
        checkpoints = self.identify_checkpoints(interactions, rng)
        schedule = TrainSchedule(c.epochs, c.final_rate, progress, None, checkpoints, rng, stop_epoch=c.stop_epoch)
        held_out = rng.random(len(interactions)) < (STOPPING_SHARE if c.patience else 0.0)

        def run(schedule: TrainSchedule, patience: int) -> int:
            part = held_out if patience else np.zeros_like(held_out)
            return self._train(self._select(graph, interactions, part), schedule, rng, patience)

        self.train_and_refit(schedule, run)

    def _select(self, graph: HeteroGraph, interactions: Interactions, held_out: Mask) -> TrainingData:
        """The interactions that are not held out, to train on, and the others to measure on."""
        retained = interactions.take(~held_out)
        training = TrainingData(graph, retained, retained.matrix(), interactions.take(held_out), self.device)
        if not training.matrix.nnz:
            name = type(self).__name__.lower()
            raise DataError(f"{name}: there are no interactions to learn from; load more")
        return training

    def _train(
        self, training: TrainingData, schedule: TrainSchedule, rng: np.random.Generator, patience: int = 0
    ) -> int:
        """Train new parameters and store the vectors; with `patience`, those of the epoch that ranks the held-out
        interactions best, whose number is returned (0 if none was measured)."""
        c = self.config
        x = self.initial_parameters(training, rng).to(self.device).requires_grad_()
        encode = self.build_encoder(training, x)
        optimizer = torch.optim.Adam([x], lr=c.learning_rate, fused=True)
        best_epoch = [0]
        stopping = None
        if patience:
            stopping = Stopping(lambda: self._recall(encode, training), STOPPING_EVERY, patience, best_epoch.append)
        after_epoch = self.build_epoch_hook(lambda: self.finish(x, encode, training))
        schedule = replace(schedule, stopping=stopping, after_epoch=after_epoch)
        with one_thread(self.device.type == "cpu" and training.matrix.nnz * c.embedding_dim < ONE_THREAD_BELOW):
            self.losses = tuple(
                train(
                    [x],
                    optimizer,
                    lambda: self.batches(training, rng),
                    lambda batch: self.loss(x, encode, batch, training, rng),
                    schedule,
                )
            )
            self.finish(x, encode, training)
        return best_epoch[-1]

    def finish(self, x: Tensor, encode: Encode, training: TrainingData) -> None:
        """Store the vectors that the encoder computes, and the messages of items to new users."""
        self.store_vectors(encode, training)
        with torch.no_grad():
            has_users = training.has_interactions()[training.num_users :].unsqueeze(1)
            self.incoming = self.item_messages(x.detach(), training) * has_users

    def store_vectors(self, encode: Encode, training: TrainingData) -> None:
        """Store the vectors that the encoder computes."""
        with torch.no_grad():
            vectors = self.config.objective.vectors(encode, None, training.matrix)  # [num_nodes, dim]
            vectors = vectors * training.has_interactions().unsqueeze(1)
            self.users, self.items = vectors[: training.num_users].clone(), vectors[training.num_users :].clone()

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products or cosines [batch, num_items] float32."""
        return self.users[torch.from_numpy(user_index).to(self.device)] @ self.items.T

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Approximate scores [batch, num_items] float32 of new users, from the messages of the items of each history.

        Row n of `history` [batch, num_items] may be any user; row n of the scores belongs to this user.
        """
        degree = torch.from_numpy(np.diff(history.indptr)).to(self.device).unsqueeze(1)
        messages = csr_tensor(history).to(self.device) @ self.incoming  # [batch, dim]
        users = self.config.objective.scale_vectors(messages * degree.clamp(min=1).float() ** -self.damping)
        if self.config.objective.popularity:
            users = torch.cat([users, (degree > 0).float()], dim=1)
        return users @ self.items.T

    def embeddings(self) -> Embeddings:
        """The vectors of users and items, whose dot products are the scores."""
        return Embeddings(self.users, self.items)

    def similarity_vectors(self) -> Tensor:
        """The item vectors without the column of the popularity bias."""
        return self.items[:, :-1] if self.config.objective.popularity else self.embeddings().items

    def state(self) -> State:
        """The vectors and the messages of items to new users, on the CPU."""
        return {name: getattr(self, name).cpu() for name in ("users", "items", "incoming")}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore the vectors and messages."""
        self.users, self.items, self.incoming = (state[name].to(self.device) for name in ("users", "items", "incoming"))

    def _recall(self, encode: Encode, training: TrainingData) -> float:
        """Recall@20: the share of the validation interactions among the first 20 unseen items of their users."""
        self.store_vectors(encode, training)
        return recall_of_held_out(self.score, training.matrix, training.validation)


def compute_l2_penalty(x: Tensor, batch: Batch, num_users: int) -> Tensor:
    """½ Σ ‖x_n‖² over the nodes n of a batch, with x [num_nodes, dim], per interaction of the batch."""
    if isinstance(batch, PairBatch):
        nodes = np.concatenate([batch.user, num_users + batch.positive, num_users + batch.negative.ravel()])
        return x[torch.from_numpy(nodes).to(x.device)].square().sum() / (2 * len(batch.user))
    counts = [torch.from_numpy(batch.history.sum(axis=axis).astype(np.float32)).to(x.device) for axis in (1, 0)]
    users, items = x[torch.from_numpy(batch.user).to(x.device)], x[num_users:]
    squares = counts[0] @ users.square().sum(1) + counts[1] @ items.square().sum(1)
    return squares / (2 * float(batch.history.sum()))
