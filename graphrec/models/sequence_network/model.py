"""The base class of sequence networks: training on next items, scores of last states, fold-in by a forward pass."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Self, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.histories import Histories, build_histories
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.linalg.threads import one_thread
from graphrec.models.attribution import HistoryAttribution, divide_fold_in
from graphrec.models.base import Embeddings, Space
from graphrec.models.sequence_network.config import SequenceNetworkConfig
from graphrec.models.sequence_network.network import Dropout, Encoder, NextItemNetwork, initialise
from graphrec.models.sequence_network.search_space import candidates, space
from graphrec.models.sequence_network.stopping import choose_users, ndcg_of_last, without_last_of
from graphrec.models.sequence_network.transitions import compute_transition_init
from graphrec.models.trained import TrainedModel
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.training.loop import Stopping, TrainSchedule, train
from graphrec.training.losses import gbce_loss, gbce_power
from graphrec.training.next_item import next_item_softmax_loss
from graphrec.training.sequences import NegativeSampler, SequenceBatch, last_windows, sequence_batches
from graphrec.vocabulary import IndexArray

#: Maximum norm of the gradient of a step.
MAX_NORM = 5.0

#: Threshold in interactions times vector length below which one thread is faster than several.
ONE_THREAD_BELOW = 1 << 20

#: Batch size in items of the forward pass that computes last states.
BATCH_ITEMS = 1 << 14

C = TypeVar("C", bound=SequenceNetworkConfig)


class SequenceNetworkModel(TrainedModel[C]):
    """score(u, ·) = h E ᵀ + b with the state h of a causal network after the last item of the history of u.

    E [num_items, dim] are the vectors of items, inputs and outputs alike, and b [num_items] their biases, which start
    from log frequencies. In training, the state after each item predicts the next one. A subclass defines the network
    between (`build_encoder`). Of longer histories, the network reads the last `max_length` items.

    The order of a history is that of its times, or without times that of its interactions. Columns of `embeddings`
    beyond dim are 1 for users and b for items. A user without items and an item without interactions have the vector 0.
    """

    def __init__(self, config: C, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.network: NextItemNetwork | None = None
        self.users = torch.empty(0, 0)  # [num_users, dim + 1]
        self.items = torch.empty(0, 0)  # [num_items, dim + 1]
        self.histories = Histories(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32), 0)

    @abstractmethod
    def build_encoder(self, dropout: Dropout) -> Encoder:
        """The causal network; its weights are initialised afterwards."""

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the network on the histories, and store the last states of the users.

        Raises:
            DataError: no history has two items, or the checkpoint is of another training.
            GraphrecError: the checkpoint cannot be read or written.
        """
        c, histories = self.config, _order(interactions)
        schedule = TrainSchedule(
            c.epochs,
            c.final_rate,
            progress,
            None,
            self.identify_checkpoints(interactions, rng),
            rng,
            stop_epoch=c.stop_epoch,
            warmup_steps=c.warmup_steps,
            max_norm=MAX_NORM,
        )
        held_out = choose_users(histories, rng) if c.patience else np.empty(0, dtype=np.int64)
        self.train_and_refit(schedule, lambda plan, patience: self._train(histories, held_out, plan, rng, patience))

    def _train(
        self,
        histories: Histories,
        held_out: IndexArray,
        schedule: TrainSchedule,
        rng: np.random.Generator,
        patience: int,
    ) -> int:
        """Train new parameters; with `patience`, without the last items of the users `held_out`.

        Returns:
            The number of epochs that ranks these items best; 0 if none was measured.
        """
        c = self.config
        training = without_last_of(histories, held_out) if patience else histories
        if training.lengths.max(initial=0) < 2:
            name = type(self).__name__.lower()
            raise DataError(f"{name}: no history has two items, so there is no next item to learn; load more")
        parameters = self._initialise(training, rng)
        optimizer = torch.optim.AdamW(parameters, lr=c.learning_rate, weight_decay=c.weight_decay, fused=True)
        best_epoch = [0]
        stopping = None
        if patience:
            stopping = Stopping(lambda: self._ndcg(histories.take(held_out)), 1, patience, best_epoch.append)
        schedule = replace(
            schedule, stopping=stopping, after_epoch=self.build_epoch_hook(lambda: self._finish(histories))
        )
        with one_thread(self.device.type == "cpu" and histories.num_events * c.embedding_dim < ONE_THREAD_BELOW):
            batches = self._batches(training, rng)
            self.losses = tuple(train(parameters, optimizer, batches, self.loss, schedule))
            self._finish(histories)
        return best_epoch[-1]

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[C]:
        """The default for short or long histories first, then changes of single settings."""
        return candidates(cls.config_class(), graph)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The settings that matter most; empty for many events."""
        return space(graph)

    def loss(self, batch: SequenceBatch) -> Tensor:
        """The mean loss of the items of a batch."""
        c, network = self.config, self._fitted()
        network.dropout.seed(batch.seed)
        network.train()
        states = network(batch.item.to(self.device))[batch.is_item.to(self.device)]  # [n, dim], padding is left out
        target = batch.target.to(self.device)
        if c.loss == "softmax":
            return next_item_softmax_loss(states, network.items, network.bias, target, batch.sample)
        index = torch.arange(len(network.items), device=self.device)
        if batch.sample is not None:
            index = torch.from_numpy(batch.sample.item_index).to(self.device)
        positive = (states * network.items[target]).sum(1) + network.bias[target]
        negative = torch.addmm(network.bias[index], states, network.items[index].T)  # [n, num_negatives]
        power = gbce_power(len(index), len(network.items), c.calibration)
        return gbce_loss(positive, negative, power, index == target.unsqueeze(1))

    def score(self, user_index: IndexArray) -> Tensor:
        """Logits [batch, num_items] float32 of the next item."""
        return self.users[torch.from_numpy(user_index).to(self.device)] @ self.items.T

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 by a forward pass; `history.indices` of a row are its items in time order.

        Row n of `history` [batch, num_items] may be any user; row n of the scores belongs to this user.
        """
        indptr, items = history.indptr.astype(np.int64), history.indices.astype(np.int32)
        return self.fold_in_histories(Histories(indptr, items, int(history.shape[1])))

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:  # noqa: ARG002  # target only
        """Scores [target.num_users, num_items] float32 by a forward pass over the target behaviour in time order."""
        return self.fold_in_histories(_order(target))

    def fold_in_histories(self, histories: Histories) -> Tensor:
        """Scores [histories.num_users, num_items] float32 of any users, by a forward pass over their histories."""
        return self._encode(histories) @ self.items.T

    def embeddings(self) -> Embeddings:
        """Last states with a column of ones, and item vectors with a column of biases; dot products are the scores."""
        return Embeddings(self.users, self.items)

    def similarity_vectors(self) -> Tensor:
        """The item vectors without their biases, [num_items, dim]."""
        return self.items[:, :-1]

    def with_user(self, target: Interactions, relations: Relations) -> Self:  # noqa: ARG002  # target only
        """The model with the history of one more user."""
        extended, added = copy(self), _order(target)
        indptr = np.append(self.histories.indptr, self.histories.indptr[-1] + added.num_events)
        items = np.concatenate([self.histories.items, added.items])
        extended.histories = Histories(indptr, items, self.histories.num_items)
        return extended

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The approximate contributions of the items of `history` [1, num_items], read in their order of time."""
        place = np.zeros(self.histories.num_items, dtype=np.int64)
        row = self.histories.row(user_index)
        place[row] = np.arange(len(row))

        def fold_in(rows: sparse.csr_array) -> Tensor:
            number = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            items = rows.indices[np.lexsort((place[rows.indices], number))]
            return self.fold_in(sparse.csr_array((rows.data, items, rows.indptr), shape=rows.shape))

        return HistoryAttribution(divide_fold_in(fold_in, history, item_index), exact=False)

    def state(self) -> State:
        """Last states, item vectors, histories and the parameters of the network, on the CPU."""
        arrays = {"indptr": self.histories.indptr, "history": self.histories.items}
        return {
            "users": self.users.cpu(),
            "items": self.items.cpu(),
            **{name: torch.from_numpy(array) for name, array in arrays.items()},
            **{f"network.{name}": value.detach().cpu() for name, value in self._fitted().state_dict().items()},
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore last states, item vectors, histories and the network."""
        self.users, self.items = (state[name].to(self.device) for name in ("users", "items"))
        self.histories = Histories(state["indptr"].numpy(), state["history"].numpy(), len(self.items))
        network = self._build_network(len(self.items))
        network.load_state_dict(
            {name.removeprefix("network."): x for name, x in state.items() if name.startswith("network.")}
        )

    def _build_network(self, num_items: int) -> NextItemNetwork:
        dropout = Dropout(self.config.dropout)
        encoder = self.build_encoder(dropout)
        self.network = NextItemNetwork(num_items, self.config.embedding_dim, encoder, dropout).to(self.device)
        return self.network

    @torch.no_grad()
    def _initialise(self, histories: Histories, rng: np.random.Generator) -> list[Tensor]:
        """Build the network, and return its parameters with their initial values.

        Weights are drawn, item vectors start from transitions or noise, and biases from log frequencies.
        """
        c, network = self.config, self._build_network(histories.num_items)
        initialise(network.encoder, rng)
        if c.warm_start:
            start = compute_transition_init(histories, c.embedding_dim, c.transition_decay, c.init_std, rng)
        else:
            start = torch.from_numpy(rng.normal(0.0, c.init_std, (histories.num_items, c.embedding_dim)))
        network.items.copy_(start)
        frequency = _frequency(histories) + 1.0
        network.bias.copy_(torch.from_numpy(np.log(frequency / frequency.mean())))
        return list(network.parameters())

    def _batches(self, histories: Histories, rng: np.random.Generator) -> Callable[[], Iterator[SequenceBatch]]:
        """A function that returns the batches of an epoch."""
        c = self.config
        is_sampled = 0 < c.num_negatives < histories.num_items
        sampler = NegativeSampler.of(_frequency(histories), c.negative_exponent) if is_sampled else None
        return lambda: sequence_batches(histories, c.max_length, c.batch_size, sampler, c.num_negatives, rng)

    def _fitted(self) -> NextItemNetwork:
        assert self.network is not None, "fit or restore the model first"
        return self.network

    @torch.no_grad()
    def _finish(self, histories: Histories) -> None:
        """Store histories, item vectors, and last states of the users in training."""
        network, self.histories = self._fitted(), histories
        has_users = torch.from_numpy(_frequency(histories) > 0)
        items = torch.cat([network.items, network.bias.unsqueeze(1)], dim=1).detach()
        self.items = items * has_users.to(self.device).unsqueeze(1)
        self.users = self._encode(histories)

    @torch.no_grad()
    def _encode(self, histories: Histories) -> Tensor:
        """The state after the last item of each history, and a one, [num_users, dim + 1]; 0 for empty histories."""
        network = self._fitted().eval()
        users = torch.zeros(histories.num_users, network.items.shape[1] + 1, device=self.device)
        windows = last_windows(histories, self.config.max_length)
        order = np.argsort(windows.length, kind="stable")
        order = order[np.searchsorted(windows.length[order], 1) :]
        group = np.cumsum(windows.length[order]) // BATCH_ITEMS
        for rows in np.split(order, np.flatnonzero(np.diff(group)) + 1) if len(order) else []:
            states = network(windows.padded(histories.items, rows).to(self.device))  # [batch, longest, dim]
            last = torch.from_numpy(windows.length[rows] - 1).to(self.device)
            index = torch.from_numpy(rows).to(self.device)
            users[index, :-1] = states[torch.arange(len(rows), device=self.device), last]
            users[index, -1] = 1.0
        return users

    def _ndcg(self, histories: Histories) -> float:
        """NDCG@10 of the last items of the histories."""
        network = self._fitted()
        with torch.no_grad():
            scores = torch.addmm(network.bias, self._encode(histories.without_last())[:, :-1], network.items.T)
        return ndcg_of_last(scores.cpu(), histories)


def _order(interactions: Interactions) -> Histories:
    """The histories of interactions, in the order of time or, without times, in that of the rows."""
    return build_histories(interactions, in_order=interactions.time is None)


def _frequency(histories: Histories) -> IndexArray:
    """The number of interactions of each item [num_items]."""
    return np.bincount(histories.items, minlength=histories.num_items)
