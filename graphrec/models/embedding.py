"""The base class of models with trained vectors: training, scores and fold-in."""

import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
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
from graphrec.models.base import Embeddings, EpochCallback, Model
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import Adjacency
from graphrec.models.spectral_init import compute_spectral_init
from graphrec.progress import Progress
from graphrec.splitting.coherent import Mask
from graphrec.training.batches import PairBatch
from graphrec.training.checkpoints import Checkpoints
from graphrec.training.loop import Stopping, TrainSchedule, train
from graphrec.training.objectives import Batch, Encode
from graphrec.vocabulary import IndexArray

#: Early stopping: maximum number of users whose validation items are ranked, and number of epochs between measurements.
STOPPING_USERS = 1000
STOPPING_EVERY = 5

#: Share of the interactions that is held out for early stopping.
STOPPING_SHARE = 0.05

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


class EmbeddingModel(Model[C]):
    """score(u, i) = e_u · e_i with vectors e of users and items that an encoder computes from trained parameters x.

    x [num_nodes, dim] has one row per user, followed by one row per item. A subclass defines the encoder
    (`build_encoder`) and may override the initial parameters (`initial_parameters`), the batches (`batches`), the loss
    (`loss`) and the message of an item to a new user (`item_messages`). A node without training interactions has the
    vector 0.

    `losses` is the mean loss of each epoch of the last fit; empty after `restore`.
    """

    has_signed_scores = True
    trials = 0
    supports_checkpoints = True
    #: Exponent: `fold_in` divides the sum of the messages of n items by n to this power.
    damping: ClassVar[float] = 1.0

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.users = torch.empty(0, 0)  # [num_users, dim], of length one for cosines
        self.items = torch.empty(0, 0)  # [num_items, dim]
        self.incoming = torch.empty(0, 0)  # [num_items, dim], the message of an item to a new user
        self.checkpoints: Checkpoints | None = None
        self.epoch_callback: EpochCallback | None = None
        self.losses: tuple[float, ...] = ()

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
        c, step = self.config, progress or (lambda _done, _total: None)
        checkpoints = self._identify_checkpoints(interactions, rng)
        schedule = TrainSchedule(c.epochs, c.final_rate, step, None, checkpoints, rng, stop_epoch=c.stop_epoch)
        held_out = rng.random(len(interactions)) < (STOPPING_SHARE if c.patience else 0.0)
        if c.patience:
            stop_epoch = self._train(self._select(graph, interactions, held_out), schedule, rng, c.patience)
            self.config, first = replace(c, patience=0, stop_epoch=stop_epoch), len(self.losses)
            if checkpoints is not None:
                path = checkpoints.path
                checkpoints = replace(checkpoints, path=path.with_name(f"{path.name}.refit"))
            schedule = replace(
                schedule,
                stop_epoch=stop_epoch,
                progress=lambda done, total: step(first + done, first + total),
                checkpoints=checkpoints,
            )
        self._train(self._select(graph, interactions, np.zeros_like(held_out)), schedule, rng)

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
        after_epoch = None
        if self.epoch_callback is not None:
            after_epoch = self._build_epoch_hook(self.epoch_callback, lambda: self.finish(x, encode, training))
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

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:
        """Save checkpoints of the next fit to a file; the same fit resumes from it and ends with equal vectors.

        With `patience` the second training has a file of its own, with the suffix `.refit`.
        """
        self.checkpoints = checkpoints

    def watch_training(self, callback: EpochCallback) -> None:
        """Set the callback of the next fit; the model then scores with its current vectors."""
        self.epoch_callback = callback

    @classmethod
    def shorten(cls, config: C, share: float) -> C:
        """The config with a share of its epochs, at least one."""
        return replace(config, epochs=max(round(config.epochs * share), 1), stop_epoch=0)

    def state(self) -> State:
        """The vectors and the messages of items to new users, on the CPU."""
        return {name: getattr(self, name).cpu() for name in ("users", "items", "incoming")}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore the vectors and messages."""
        self.users, self.items, self.incoming = (state[name].to(self.device) for name in ("users", "items", "incoming"))

    def _build_epoch_hook(self, callback: EpochCallback, finish: Callable[[], None]) -> Callable[[int], None]:
        """A function of the number of epochs done that calls `callback` after each of its parts except the last."""
        due = {round(part * self.config.epochs / callback.parts): part for part in range(1, callback.parts)}

        def after_epoch(epoch: int) -> None:
            if 0 < epoch < self.config.epochs and epoch in due:
                finish()
                callback.function(due[epoch])

        return after_epoch

    def _recall(self, encode: Encode, training: TrainingData) -> float:
        """Recall@20: the share of the validation interactions among the first 20 unseen items of their users."""
        self.store_vectors(encode, training)
        users = np.unique(training.validation.user_index)[:STOPPING_USERS]
        scores = self.score(users).cpu()
        seen, validation = training.matrix[users], training.validation.matrix()[users]
        scores[torch.from_numpy(seen.toarray() > 0)] = -torch.inf
        best = scores.topk(min(20, scores.shape[1])).indices.numpy()
        hits = np.take_along_axis(validation.toarray(), best, axis=1).sum()
        return float(hits / max(validation.nnz, 1))

    def _identify_checkpoints(self, interactions: Interactions, rng: np.random.Generator) -> Checkpoints | None:
        """The checkpoints with an identity computed from the config, the data and the state of the generator."""
        if self.checkpoints is None:
            return None
        settings = f"{asdict(self.config)} {rng.bit_generator.state}".encode()
        content = zlib.crc32(
            np.stack([interactions.user_index, interactions.item_index]).tobytes(), zlib.crc32(settings)
        )
        return replace(self.checkpoints, identity=f"{type(self).__name__} {content:08x}")


def compute_l2_penalty(x: Tensor, batch: Batch, num_users: int) -> Tensor:
    """½ Σ ‖x_n‖² over the nodes n of a batch, with x [num_nodes, dim], per interaction of the batch."""
    if isinstance(batch, PairBatch):
        nodes = np.concatenate([batch.user, num_users + batch.positive, num_users + batch.negative.ravel()])
        return x[torch.from_numpy(nodes).to(x.device)].square().sum() / (2 * len(batch.user))
    counts = [torch.from_numpy(batch.history.sum(axis=axis).astype(np.float32)).to(x.device) for axis in (1, 0)]
    users, items = x[torch.from_numpy(batch.user).to(x.device)], x[num_users:]
    squares = counts[0] @ users.square().sum(1) + counts[1] @ items.square().sum(1)
    return squares / (2 * float(batch.history.sum()))
