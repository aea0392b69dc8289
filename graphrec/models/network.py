"""The base class of neural networks over sets of interactions: training, early stopping, and scores by vectors."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.optim import Optimizer

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.linalg.threads import one_thread
from graphrec.models.trained import (
    STOPPING_EVERY,
    STOPPING_SHARE,
    TrainedConfig,
    TrainedModel,
    recall_of_held_out,
)
from graphrec.progress import Progress
from graphrec.training.loop import Stopping, TrainSchedule, train
from graphrec.vocabulary import IndexArray

#: Threshold in interactions below which one thread is faster than several.
ONE_THREAD_BELOW = 1 << 14


@dataclass(frozen=True)
class NetworkConfig(TrainedConfig):
    """Settings of every network over sets of interactions; the config of a model sets its own defaults.

    learning_rate: learning rate of Adam, above 0.
    final_rate: factor on the learning rate in the last epoch, at least 0; it changes linearly from 1.
    weight_decay: weight of half the squared parameters in the loss, at least 0.
    batch_size: number of rows or interactions per step, at most a sixteenth of all.
    epochs: number of passes over the interactions.
    patience: number of measurements of recall@20, five epochs apart, without improvement after which training stops; a
        twentieth of the interactions is held out for them, and a second training learns from all interactions until
        the best epoch. 0 trains all epochs at once.
    """

    learning_rate: float = 0.001
    final_rate: float = 1.0
    weight_decay: float = 0.0
    batch_size: int = 512

    def __post_init__(self) -> None:
        name = type(self).__name__.removesuffix("Config").lower()
        if min(self.batch_size, self.epochs) < 1 or self.patience < 0 or not 0 <= self.stop_epoch <= self.epochs:
            raise DataError(
                f"{name}: batch_size and epochs are at least 1, patience at least 0, stop_epoch from 0 to epochs"
            )
        if self.learning_rate <= 0 or min(self.final_rate, self.weight_decay) < 0:
            raise DataError(f"{name}: learning_rate is above 0, final_rate and weight_decay are at least 0")


C = TypeVar("C", bound=NetworkConfig)
N = TypeVar("N", bound=nn.Module)
B = TypeVar("B")


class NetworkModel(TrainedModel[C], Generic[C, N, B]):
    """A model with a network N, which learns from batches B of an interaction matrix.

    A subclass builds the network (`build_network`), cuts epochs into batches (`batches`), computes the loss of a batch
    (`loss`), and stores what its scores need (`finish`). A user and an item without interactions have scores of 0.
    """

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.network: N | None = None

    @abstractmethod
    def build_network(self, num_users: int, num_items: int) -> N:
        """The network; its parameters are initialised afterwards."""

    @abstractmethod
    def batches(self, matrix: sparse.csr_array, rng: np.random.Generator) -> Iterator[B]:
        """The batches of one epoch of a matrix [num_users, num_items]."""

    @abstractmethod
    def loss(self, batch: B) -> Tensor:
        """The loss of a batch."""

    @abstractmethod
    def finish(self, matrix: sparse.csr_array) -> None:
        """Store what scores need of the training matrix and the current parameters."""

    def initialise(self, network: N, rng: np.random.Generator) -> None:
        """Draw the initial parameters."""
        draw_parameters(network, rng)

    def build_optimizer(self, network: N) -> Optimizer:
        """Adam for all parameters."""
        c = self.config
        return torch.optim.Adam(network.parameters(), lr=c.learning_rate, weight_decay=c.weight_decay, fused=True)

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the network, with `patience` twice, as `TrainedModel.train_and_refit` says.

        Raises:
            DataError: there are no interactions, or the checkpoint belongs to another training.
            GraphrecError: the checkpoint cannot be read or written.
        """
        c = self.config
        if not len(interactions):
            name = type(self).__name__.lower()
            raise DataError(f"{name}: there are no interactions to learn from; load more")
        checkpoints = self.identify_checkpoints(interactions, rng)
        schedule = TrainSchedule(c.epochs, c.final_rate, progress, None, checkpoints, rng, stop_epoch=c.stop_epoch)
        held_out = rng.random(len(interactions)) < (STOPPING_SHARE if c.patience else 0.0)
        self.train_and_refit(schedule, lambda plan, patience: self._train(interactions, held_out, plan, rng, patience))

    @property
    def fitted_network(self) -> N:
        """The network of a fitted model."""
        assert self.network is not None, "fit or restore the model first"
        return self.network

    def state(self) -> State:
        """The parameters and buffers of the network."""
        content = self.fitted_network.state_dict()
        return {f"network.{name}": value.detach().cpu() for name, value in content.items()}

    def restore_network(self, state: Mapping[str, Tensor], num_users: int, num_items: int) -> None:
        """Build the network that returned `state`."""
        self.network = self.build_network(num_users, num_items).to(self.device)
        prefix = "network."
        self.network.load_state_dict({n.removeprefix(prefix): x for n, x in state.items() if n.startswith(prefix)})

    def _train(
        self,
        interactions: Interactions,
        held_out: np.ndarray[tuple[int], np.dtype[np.bool_]],
        schedule: TrainSchedule,
        rng: np.random.Generator,
        patience: int,
    ) -> int:
        """Train a new network; with `patience`, without the interactions `held_out`.

        Returns:
            The number of epochs that ranks these best; 0 if none was measured.
        """
        validation = interactions.take(held_out)
        matrix = (interactions.take(~held_out) if patience else interactions).matrix()
        network = self.build_network(*matrix.shape)
        self.initialise(network, rng)
        self.network = network.to(self.device)
        # buffers, such as a count of steps, are part of what a checkpoint and early stopping restore
        parameters = [*self.network.parameters(), *self.network.buffers()]
        best_epoch = [0]
        stopping = None
        if patience:
            measure = lambda: self._measure(matrix, validation)  # noqa: E731
            stopping = Stopping(measure, STOPPING_EVERY, patience, best_epoch.append)
        after_epoch = self.build_epoch_hook(lambda: self.finish(matrix))
        schedule = replace(schedule, stopping=stopping, after_epoch=after_epoch)
        with one_thread(self.device.type == "cpu" and matrix.nnz < ONE_THREAD_BELOW):
            optimizer = self.build_optimizer(self.network)
            self.losses = tuple(train(parameters, optimizer, lambda: self.batches(matrix, rng), self.loss, schedule))
            self.finish(matrix)
        return best_epoch[-1]

    def _measure(self, matrix: sparse.csr_array, validation: Interactions) -> float:
        self.finish(matrix)
        return recall_of_held_out(self.score, matrix, validation)


@torch.no_grad()
def draw_parameters(network: nn.Module, rng: np.random.Generator) -> None:
    """Draw matrices uniformly from ±√(6 / (rows + columns)), and set vectors to 0 (Glorot and Bengio, AISTATS 2010).

    torch's own initialisation draws from the global generator.
    """
    for parameter in network.parameters():
        if parameter.dim() < 2:
            parameter.zero_()
            continue
        bound = (6.0 / (parameter.shape[0] + parameter.shape[1])) ** 0.5
        drawn = rng.uniform(-bound, bound, tuple(parameter.shape)).astype(np.float32)
        parameter.copy_(torch.from_numpy(drawn))


def row_batches(
    matrix: sparse.csr_array, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[IndexArray, sparse.csr_array]]:
    """All rows with entries in random order, as positions [batch] and rows [batch, num_columns]."""
    order = rng.permutation(np.flatnonzero(np.diff(matrix.indptr))).astype(np.int64)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, matrix[rows]


def sum_rows(rows: sparse.csr_array, vectors: Tensor) -> Tensor:
    """rows · vectors [batch, dim] for a CSR matrix [batch, n] and vectors [n, dim], differentiable in the vectors."""
    index = torch.from_numpy(rows.indices.astype(np.int64)).to(vectors.device)
    offsets = torch.from_numpy(rows.indptr[:-1].astype(np.int64)).to(vectors.device)
    weights = torch.from_numpy(rows.data.astype(np.float32)).to(vectors.device)
    result: Tensor = nn.functional.embedding_bag(index, vectors, offsets, mode="sum", per_sample_weights=weights)
    return result


def with_ones(states: Tensor) -> Tensor:
    """States [batch, dim] with a last column of ones [batch, dim + 1], whose partner is a bias."""
    return torch.cat([states, states.new_ones(len(states), 1)], dim=1)
