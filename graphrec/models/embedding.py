"""What trained embedding models share: vectors, their scores, and the way they are fitted."""

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
from graphrec.models.base import Embeddings, EpochCallback, Model, Progress
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import Adjacency
from graphrec.models.spectral_init import spectral_start
from graphrec.training.batches import PairBatch
from graphrec.training.checkpoints import Checkpoints
from graphrec.training.loop import Stopping, TrainSchedule, train
from graphrec.training.objectives import Batch, Encode
from graphrec.vocabulary import IndexArray

#: Users whose held-out items are ranked to decide about an early stop, and epochs between two such measures.
STOPPING_USERS = 1000
STOPPING_EVERY = 5

#: Entries of the interaction matrix times the length of a vector below which a second thread costs more than it brings.
SMALL = 1 << 23


C = TypeVar("C", bound=EmbeddingConfig)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a model is trained on: the training part of the interactions, its 0/1 matrix, the graph, and where."""

    graph: HeteroGraph
    interactions: Interactions
    matrix: sparse.csr_array  # [num_users, num_items]
    held: Interactions  # for an early stop; empty without one
    device: torch.device

    @property
    def num_users(self) -> int:
        """Users come first among the nodes."""
        return self.interactions.num_users

    @property
    def num_nodes(self) -> int:
        """Users and items."""
        return self.interactions.num_users + self.interactions.num_items

    @cached_property  # a value that follows from the others, and that only models with a graph encoder pay for
    def adjacency(self) -> Adjacency:
        """The normalised adjacency of users and items."""
        return Adjacency.of(self.matrix, self.device)

    def known(self) -> Tensor:
        """Whether a node has any training interaction, [num_nodes]."""
        degree = [np.diff(self.matrix.indptr), np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])]
        return torch.from_numpy(np.concatenate(degree) > 0).to(self.device)


class EmbeddingModel(Model[C]):
    """score(u, i) = e_u · e_i with vectors e that `encode` makes from trained parameters x [num_nodes, dim].

    A subclass gives the encoder (`encoder`); it may give other initial parameters (`start`), other batches
    (`batches`), another loss (`loss`), and what an item sends to a new user (`sends`). Nodes without any training
    interaction get the vector 0: nothing is known about them.

    `checkpoints`, set before `fit`, keeps a training on disk; `fit` with the same arguments then goes on where it was
    killed, to the same result. `watch`, set before `fit`, looks at the training on its way. `losses` is the mean loss
    of each epoch of the last fit, empty after `restore`.
    """

    has_signed_scores = True
    trials = 0
    supports_checkpoints = True
    #: The sum of what n items send to a new user is divided by n to this power.
    damping: ClassVar[float] = 1.0

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.users = torch.empty(0, 0)  # [num_users, dim], of length one for cosines
        self.items = torch.empty(0, 0)  # [num_items, dim]
        self.incoming = torch.empty(0, 0)  # [num_items, dim], what an item sends to a new user
        self.checkpoints: Checkpoints | None = None
        self.watch: EpochCallback | None = None
        self.losses: tuple[float, ...] = ()

    @abstractmethod
    def encoder(self, problem: TrainingData, x: Tensor) -> Encode:
        """A function that gives the vectors [n, dim] of some nodes from x as it stands when it is called."""

    def start(self, problem: TrainingData, rng: np.random.Generator) -> Tensor:
        """The initial parameters x [num_nodes, dim] on the CPU."""
        c = self.config
        if c.warm_start:
            return spectral_start(problem.matrix, c.embedding_dim, c.init_std, rng, equal=c.cosine)
        normal = rng.normal(0.0, c.init_std, (problem.num_nodes, c.embedding_dim))
        return torch.from_numpy(normal.astype(np.float32))

    def batches(self, problem: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch."""
        return self.config.objective.batches(problem.matrix, self.config.batch_size, rng)

    def loss(
        self,
        x: Tensor,
        encode: Encode,
        batch: Batch,
        problem: TrainingData,
        rng: np.random.Generator,  # noqa: ARG002  # for losses that draw noise
    ) -> Tensor:
        """The objective of a batch plus weight_decay/2 · the squared parameters of its nodes, for each interaction."""
        value = self.config.objective.value(encode, batch, problem.matrix)
        if not self.config.weight_decay:
            return value
        return value + self.config.weight_decay * decay(x, batch, problem.num_users)

    def item_messages(self, x: Tensor, problem: TrainingData) -> Tensor:  # noqa: ARG002  # the default needs neither
        """What an item sends to a new user, [num_items, dim]; `fold_in` adds it up over a history."""
        return self.items[:, :-1] if self.config.objective.popularity else self.items

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the parameters and keep the vectors that they encode.

        Raises:
            DataError: there are no interactions, or the checkpoint is of another training.
            GraphrecError: the checkpoint cannot be read or written.
        """
        c = self.config
        checkpoints = self._identified(interactions, rng)
        held = rng.random(len(interactions)) < (0.05 if c.patience else 0.0)
        train_part = interactions.take(~held)
        problem = TrainingData(graph, train_part, train_part.matrix(), interactions.take(held), self.device)
        if not problem.matrix.nnz:
            name = type(self).__name__.lower()
            raise DataError(f"{name}: there are no interactions to learn from; load more")
        x = self.start(problem, rng).to(self.device).requires_grad_()
        encode = self.encoder(problem, x)
        optimizer = torch.optim.Adam([x], lr=c.learning_rate, fused=True)
        stopping = None
        if c.patience:
            stopping = Stopping(lambda: self._recall(encode, problem), STOPPING_EVERY, c.patience)
        watch = None if self.watch is None else self._watching(self.watch, lambda: self.finish(x, encode, problem))
        plan = TrainSchedule(c.epochs, c.final_rate, progress, stopping, checkpoints, rng, watch)
        with one_thread(self.device.type == "cpu" and problem.matrix.nnz * c.embedding_dim < SMALL):
            self.losses = tuple(
                train(
                    [x],
                    optimizer,
                    lambda: self.batches(problem, rng),
                    lambda batch: self.loss(x, encode, batch, problem, rng),
                    plan,
                )
            )
            self.finish(x, encode, problem)

    def finish(self, x: Tensor, encode: Encode, problem: TrainingData) -> None:
        """Keep the vectors that the parameters x encode, and what an item sends to a new user."""
        self._keep(encode, problem)
        with torch.no_grad():
            self.incoming = self.item_messages(x.detach(), problem) * problem.known()[problem.num_users :].unsqueeze(1)

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products or cosines [batch, num_items] float32."""
        return self.users[torch.from_numpy(user_index).to(self.device)] @ self.items.T

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users, from what the items of a history send; approximate."""
        degree = torch.from_numpy(np.diff(history.indptr)).to(self.device).unsqueeze(1)
        sent = csr_tensor(history).to(self.device) @ self.incoming  # [batch, dim]
        users = self.config.objective.scaled(sent * degree.clamp(min=1).float() ** -self.damping)
        if self.config.objective.popularity:
            users = torch.cat([users, (degree > 0).float()], dim=1)
        return users @ self.items.T

    def embeddings(self) -> Embeddings:
        """The vectors, whose dot products are the scores."""
        return Embeddings(self.users, self.items)

    def similarity_vectors(self) -> Tensor:
        """The vectors of the items, without the column of the popularity bias."""
        return self.items[:, :-1] if self.config.objective.popularity else self.embeddings().items

    def keep_checkpoints(self, checkpoints: Checkpoints) -> None:
        """Keep the next fit in a file; a fit with the same arguments continues there, to the same result."""
        self.checkpoints = checkpoints

    def watch_training(self, callback: EpochCallback) -> None:
        """Call back during the next fit, with the vectors of that moment."""
        self.watch = callback

    def state(self) -> State:
        """The vectors, and what an item sends to a new user, on the CPU."""
        return {name: getattr(self, name).cpu() for name in ("users", "items", "incoming")}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over the vectors."""
        self.users, self.items, self.incoming = (state[name].to(self.device) for name in ("users", "items", "incoming"))

    def _watching(self, watch: EpochCallback, finish: Callable[[], None]) -> Callable[[int], None]:
        due = {round(part * self.config.epochs / watch.parts): part for part in range(1, watch.parts)}

        def watching(epoch: int) -> None:
            if 0 < epoch < self.config.epochs and epoch in due:
                finish()
                watch.look(due[epoch])

        return watching

    def _keep(self, encode: Encode, problem: TrainingData) -> None:
        with torch.no_grad():
            vectors = self.config.objective.vectors(encode, None, problem.matrix)  # [num_nodes, dim]
            vectors = vectors * problem.known().unsqueeze(1)
            self.users, self.items = vectors[: problem.num_users].clone(), vectors[problem.num_users :].clone()

    def _recall(self, encode: Encode, problem: TrainingData) -> float:
        """The share of held-out interactions among the first 20 unseen items of their users."""
        self._keep(encode, problem)
        users = np.unique(problem.held.user_index)[:STOPPING_USERS]
        scores = self.score(users).cpu()
        seen, truth = problem.matrix[users], problem.held.matrix()[users]
        scores[torch.from_numpy(seen.toarray() > 0)] = -torch.inf
        best = scores.topk(min(20, scores.shape[1])).indices.numpy()
        hits = np.take_along_axis(truth.toarray(), best, axis=1).sum()
        return float(hits / max(truth.nnz, 1))

    def _identified(self, interactions: Interactions, rng: np.random.Generator) -> Checkpoints | None:
        """The checkpoints with a word that another config, other data or another seed would change."""
        if self.checkpoints is None:
            return None
        settings = f"{asdict(self.config)} {rng.bit_generator.state}".encode()
        content = zlib.crc32(
            np.stack([interactions.user_index, interactions.item_index]).tobytes(), zlib.crc32(settings)
        )
        return replace(self.checkpoints, identity=f"{type(self).__name__} {content:08x}")


def decay(x: Tensor, batch: Batch, num_users: int) -> Tensor:
    """Half the squared parameters x [num_nodes, dim] of the nodes of a batch, for each of its interactions."""
    if isinstance(batch, PairBatch):
        nodes = np.concatenate([batch.user, num_users + batch.positive, num_users + batch.negative.ravel()])
        return x[torch.from_numpy(nodes).to(x.device)].square().sum() / (2 * len(batch.user))
    counts = [torch.from_numpy(batch.history.sum(axis=axis).astype(np.float32)).to(x.device) for axis in (1, 0)]
    users, items = x[torch.from_numpy(batch.user).to(x.device)], x[num_users:]
    squares = counts[0] @ users.square().sum(1) + counts[1] @ items.square().sum(1)
    return squares / (2 * float(batch.history.sum()))
