"""Neural collaborative filtering: a product of vectors and a multilayer perceptron, alone or together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor, nn

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.linalg.csr import State
from graphrec.models.base import Range, Space
from graphrec.models.network import NetworkConfig, NetworkModel, draw_parameters
from graphrec.models.vectors import fit_history_map, mean_rows
from graphrec.training.batches import PairBatch, cap_batch_size, pair_batches
from graphrec.vocabulary import IndexArray

#: The parts of the model: both, the product only, the perceptron only.
PARTS = ("neumf", "gmf", "mlp")

#: Losses of σ(score): cross entropy with 1 for interactions and 0 for negatives, or squared error.
LOSSES = ("log", "squared")

#: Maximum number of hidden values that are computed at a time.
BLOCK = 1 << 23


@dataclass(frozen=True)
class NeuMFConfig(NetworkConfig):
    """Settings of neumf, besides those that `NetworkConfig` describes.

    part: neumf (product and perceptron), gmf (the product only) or mlp (the perceptron only).
    embedding_dim: length of the vectors of the product, at least 1.
    layers: widths of the layers of the perceptron, separated by spaces; the first is twice the length of its vectors.
    loss: log (cross entropy) or squared, of probabilities σ(score).
    num_negatives: number of sampled negatives per interaction, at least 1.
    init_std: standard deviation of the initial vectors, above 0.
    weight_decay: weight of half the squared vectors of a batch, per interaction, at least 0.
    batch_size: number of interactions per step, at most a sixteenth of all.
    """

    part: str = "neumf"
    embedding_dim: int = 64
    layers: str = "128 64 32"
    loss: str = "log"
    num_negatives: int = 4
    init_std: float = 0.05
    learning_rate: float = 0.002
    final_rate: float = 0.05
    batch_size: int = 2048
    epochs: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        for setting, value, choices in (("part", self.part, PARTS), ("loss", self.loss, LOSSES)):
            if value not in choices:
                raise DataError(f"neumf: {setting} is one of {', '.join(choices)}, not {value!r}")
        try:
            widths = self.widths
        except ValueError as error:
            raise DataError(f"neumf: layers are whole numbers separated by spaces, not {self.layers!r}") from error
        if not widths or min(widths) < 1 or widths[0] % 2:
            raise DataError(f"neumf: layers are at least 1, and the first is even, not {self.layers!r}")
        if min(self.embedding_dim, self.num_negatives) < 1 or self.init_std <= 0:
            raise DataError("neumf: embedding_dim and num_negatives are at least 1, init_std is above 0")

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of the layers of the perceptron."""
        return tuple(int(width) for width in self.layers.split())

    @property
    def product_dim(self) -> int:
        """The length of the vectors of the product; 0 without it."""
        return 0 if self.part == "mlp" else self.embedding_dim

    @property
    def perceptron_dim(self) -> int:
        """The length of the vectors of the perceptron; 0 without it."""
        return 0 if self.part == "gmf" else self.widths[0] // 2


class NeuMFNetwork(nn.Module):
    """score = w · [p_u ∘ q_i; MLP([p'_u; q'_i])] + b.

    users: [p; p'], [num_users, product_dim + perceptron_dim].
    items: [q; q'], [num_items, product_dim + perceptron_dim].
    hidden: layers of the perceptron, with relu after each.
    output: w and b.
    """

    def __init__(self, num_users: int, num_items: int, config: NeuMFConfig) -> None:
        super().__init__()
        self.product_dim, widths = config.product_dim, config.widths
        dim = config.product_dim + config.perceptron_dim
        self.users = nn.Parameter(torch.empty(num_users, dim))
        self.items = nn.Parameter(torch.empty(num_items, dim))
        pairs = pairwise(widths) if config.perceptron_dim else ()
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairs)
        self.output = nn.Linear(self.product_dim + (widths[-1] if config.perceptron_dim else 0), 1)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores [batch] of vectors of users and items, [batch, dim] each."""
        k = self.product_dim
        parts = [users[:, :k] * items[:, :k]] if k else []
        if users.shape[1] > k:
            x = torch.cat([users[:, k:], items[:, k:]], dim=1)
            for layer in self.hidden:
                x = F.relu(layer(x))
            parts.append(x)
        scores: Tensor = self.output(torch.cat(parts, dim=1)).squeeze(1)
        return scores

    def score_all(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores [batch, n] of all pairs of users [batch, dim] and items [n, dim].

        The first layer of the perceptron is a sum of a term of the user and one of the item, so it is computed once for
        each instead of for each pair.
        """
        k = self.product_dim
        weight = self.output.weight.squeeze(0)
        scores = (users[:, :k] * weight[:k]) @ items[:, :k].T + self.output.bias
        if users.shape[1] == k:
            return scores
        if not len(self.hidden):
            half = users.shape[1]
            return scores + (users[:, k:] @ weight[k:half]).unsqueeze(1) + items[:, k:] @ weight[half:]
        first, width = self.hidden[0], users.shape[1] - k
        own = users[:, k:] @ first.weight[:, :width].T + first.bias  # type: ignore[operator, index]  # a Linear
        other = items[:, k:] @ first.weight[:, width:].T  # type: ignore[index]
        x = F.relu(own.unsqueeze(1) + other.unsqueeze(0))  # [batch, n, widths[1]]
        for layer in list(self.hidden)[1:]:
            x = F.relu(layer(x))
        return scores + x @ weight[k:]


class NeuMF(NetworkModel[NeuMFConfig, NeuMFNetwork, PairBatch]):
    """score(u, i) = w · [p_u ∘ q_i; MLP([p'_u; q'_i])] + b, the logit of NeuMF (He et al., WWW 2017, equation 12).

    With probabilities y = σ(score), the log loss is −Σ log y over interactions − Σ log(1 − y) over sampled negatives
    (equation 7), and the squared loss is Σ (1 − y)² + Σ y² (equation 4), per interaction. `part` leaves one half out,
    which gives the paper's GMF and MLP. There is no pre-training of the halves.

    A user who was not in training gets a linear map of the mean of the vectors of their items, fitted on users in
    training. Any other form of the score than a dot product costs a forward pass for each pair of user and item.
    """

    config_class = NeuMFConfig

    def __init__(self, config: NeuMFConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.known_users = torch.empty(0, dtype=torch.bool)  # with interactions, [num_users]
        self.known_items = torch.empty(0, dtype=torch.bool)  # with interactions, [num_items]
        self.history_map = torch.empty(0, 0)  # [dim, dim]

    def build_network(self, num_users: int, num_items: int) -> NeuMFNetwork:
        """The vectors and the perceptron."""
        return NeuMFNetwork(num_users, num_items, self.config)

    @torch.no_grad()
    def initialise(self, network: NeuMFNetwork, rng: np.random.Generator) -> None:
        """Draw the layers, and normally distributed vectors."""
        draw_parameters(network, rng)
        for vectors in (network.users, network.items):
            drawn = rng.standard_normal(tuple(vectors.shape), dtype=np.float32) * np.float32(self.config.init_std)
            vectors.copy_(torch.from_numpy(drawn))
        k = network.product_dim
        network.output.weight[:, :k] = 1.0  # a plain dot product

    def build_optimizer(self, network: NeuMFNetwork) -> torch.optim.Optimizer:
        """Adam; the weight decay is part of the loss."""
        return torch.optim.Adam(network.parameters(), lr=self.config.learning_rate, fused=True)

    def batches(self, matrix: sparse.csr_array, rng: np.random.Generator) -> Iterator[PairBatch]:
        """All interactions in random order, each with its own negatives."""
        size = cap_batch_size(self.config.batch_size, matrix.nnz)
        return pair_batches(matrix, size, self.config.num_negatives, False, rng)

    def loss(self, batch: PairBatch) -> Tensor:
        """The loss of a batch, per interaction."""
        network, size = self.fitted_network, len(batch.user)
        user = np.concatenate([batch.user, np.repeat(batch.user, batch.negative.shape[1])])
        item = np.concatenate([batch.positive, batch.negative.ravel()])
        # F.embedding has a faster gradient than indexing
        users, items = (
            F.embedding(torch.from_numpy(index).to(self.device), vectors)
            for index, vectors in ((user, network.users), (item, network.items))
        )
        scores = network(users, items)
        if self.config.loss == "log":
            total = F.softplus(-scores[:size]).sum() + F.softplus(scores[size:]).sum()
        else:
            total = torch.sigmoid(-scores[:size]).square().sum() + torch.sigmoid(scores[size:]).square().sum()
        if self.config.weight_decay:
            penalty = users[:size].square().sum() + items.square().sum()
            total = total + 0.5 * self.config.weight_decay * penalty
        return total / size

    @torch.no_grad()
    def finish(self, matrix: sparse.csr_array) -> None:
        """Store who has interactions, and the map of new users."""
        degrees = (np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=matrix.shape[1]))
        self.known_users, self.known_items = (torch.from_numpy(degree > 0).to(self.device) for degree in degrees)
        network = self.fitted_network
        self.history_map = fit_history_map(matrix, network.users.detach(), network.items.detach())

    def score(self, user_index: IndexArray) -> Tensor:
        """Logits [batch, num_items] float32."""
        index = torch.from_numpy(user_index).to(self.device)
        return self._score(self.fitted_network.users[index], self.known_users[index])

    @torch.no_grad()
    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Logits [batch, m] float32 of the items [batch, m] for the users [batch]."""
        network = self.fitted_network
        item = torch.from_numpy(item_index).to(self.device)
        user = torch.from_numpy(user_index).to(self.device).unsqueeze(1).expand_as(item)
        scores: Tensor = network(network.users[user.reshape(-1)], network.items[item.reshape(-1)]).view(item.shape)
        return scores * (self.known_users[user] & self.known_items[item])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Approximate logits [batch, num_items] float32 of histories [batch, num_items]."""
        users = mean_rows(history, self.fitted_network.items.detach()) @ self.history_map
        return self._score(users, torch.from_numpy(np.diff(history.indptr) > 0).to(self.device))

    def similarity_vectors(self) -> Tensor:
        """The item vectors [num_items, dim] of product and perceptron."""
        return self.fitted_network.items.detach()

    def state(self) -> State:
        """The network, who has interactions, and the map of new users, on the CPU."""
        own = {name: getattr(self, name).cpu() for name in ("known_users", "known_items", "history_map")}
        return {**own, **super().state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore network, interactions and map."""
        self.known_users, self.known_items, self.history_map = (
            state[name].to(self.device) for name in ("known_users", "known_items", "history_map")
        )
        self.restore_network(state, len(self.known_users), len(self.known_items))

    @torch.no_grad()
    def _score(self, users: Tensor, known: Tensor) -> Tensor:
        """Logits [batch, num_items] of vectors of users [batch, dim]; 0 for users and items without interactions."""
        network, items = self.fitted_network, self.fitted_network.items
        width = max(self.config.widths[1:2], default=1) if self.config.perceptron_dim else 1
        size = max(BLOCK // (len(items) * width), 1)
        blocks = [network.score_all(users[start : start + size], items) for start in range(0, len(users), size)]
        return torch.cat(blocks) * known.unsqueeze(1) * self.known_items

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[NeuMFConfig]:  # noqa: ARG003  # the same for every graph
        """The default, then each half alone, and a weight decay."""
        return [
            NeuMFConfig(),
            NeuMFConfig(part="gmf"),
            NeuMFConfig(part="mlp"),
            NeuMFConfig(weight_decay=1e-3),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The settings that matter most."""
        return {
            "part": PARTS,
            "embedding_dim": (8, 16, 32, 64, 128),
            "layers": ("32 16 8", "64 32 16 8", "128 64 32", "256 128 64"),
            "num_negatives": (2, 4, 8),
            "learning_rate": Range(3e-4, 1e-2, log=True),
            "weight_decay": Range(1e-6, 1e-1, log=True),
            "epochs": Range(4, 40, log=True),
        }
