"""Mult-VAE: a variational autoencoder of histories with a multinomial likelihood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray
from graphrec.linalg.csr import State, empty_csr, pack, unpack
from graphrec.models.base import Embeddings, Range, Space
from graphrec.models.network import NetworkConfig, NetworkModel, row_batches, sum_rows, with_ones
from graphrec.training.batches import cap_batch_size
from graphrec.training.losses import multinomial_loss
from graphrec.vocabulary import IndexArray

#: Number of users whose states are computed at a time.
BLOCK = 4096


@dataclass(frozen=True)
class MultVAEConfig(NetworkConfig):
    """Settings of multvae, besides those that `NetworkConfig` describes.

    hidden_dim: width of the hidden layer of encoder and decoder, at least 1.
    latent_dim: length of the latent vectors, at least 1.
    dropout: share of each history that is dropped in training, at least 0 and below 1.
    kl_weight: β, weight of the Kullback-Leibler term at the end of the annealing, at least 0.
    kl_by_history: whether the weight of a user is β times the number of their items over its mean, as in RecVAE.
    annealing: share of the steps over which the weight rises linearly from 0, from 0 to 1.
    batch_size: number of users per step, at most a sixteenth of all.
    """

    hidden_dim: int = 600
    latent_dim: int = 200
    dropout: float = 0.5
    kl_weight: float = 0.2
    kl_by_history: bool = False
    annealing: float = 0.8
    batch_size: int = 500
    epochs: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.hidden_dim, self.latent_dim) < 1:
            raise DataError("multvae: hidden_dim and latent_dim are at least 1")
        if not 0 <= self.dropout < 1 or not 0 <= self.annealing <= 1 or self.kl_weight < 0:
            raise DataError("multvae: dropout is at least 0 and below 1, annealing from 0 to 1, kl_weight at least 0")


@dataclass(frozen=True, eq=False)
class HistoryBatch:
    """Histories, and what is drawn for a step.

    history: interactions of the users, [batch, num_items].
    dropped: histories of length 1 after dropout, [batch, num_items].
    noise: standard normal numbers ε, [batch, latent_dim].
    """

    history: sparse.csr_array
    dropped: sparse.csr_array
    noise: FloatArray


class VariationalAutoencoder(nn.Module):
    """Encoder x → (μ, log σ²) and decoder z → state, each with one hidden layer of tanh.

    inputs, input_bias: first layer of the encoder, [num_items, hidden_dim] and [hidden_dim].
    outputs, output_bias: last layer of the decoder, [num_items, hidden_dim] and [num_items].
    steps: number of training steps done.
    """

    steps: Tensor

    def __init__(self, num_items: int, hidden_dim: int, latent_dim: int) -> None:
        super().__init__()
        self.inputs = nn.Parameter(torch.empty(num_items, hidden_dim))
        self.input_bias = nn.Parameter(torch.zeros(hidden_dim))
        self.encoder = nn.Linear(hidden_dim, 2 * latent_dim)
        self.decoder = nn.Linear(latent_dim, hidden_dim)
        self.outputs = nn.Parameter(torch.empty(num_items, hidden_dim))
        self.output_bias = nn.Parameter(torch.zeros(num_items))
        self.register_buffer("steps", torch.zeros(()))

    def encode(self, rows: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """μ and log σ² [batch, latent_dim] of histories [batch, num_items] of length 1."""
        hidden = torch.tanh(sum_rows(rows, self.inputs) + self.input_bias)
        mean, log_variance = self.encoder(hidden).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latent: Tensor) -> Tensor:
        """States and a column of ones [batch, hidden_dim + 1] of latent vectors [batch, latent_dim]."""
        return with_ones(torch.tanh(self.decoder(latent)))

    def items(self) -> Tensor:
        """Vectors and biases of the items [num_items, hidden_dim + 1]; products with states are logits."""
        return torch.cat([self.outputs, self.output_bias.unsqueeze(1)], dim=1)


class MultVAE(NetworkModel[MultVAEConfig, VariationalAutoencoder, HistoryBatch]):
    """score(u, i) = f_i(g(x_u / ‖x_u‖)), the logit of an item, with encoder g and decoder f (Liang et al., WWW 2018).

    x_u is the 0/1 history. In training, with dropout on x_u, a latent vector z = μ + σ ∘ ε with normal noise ε has the
    loss −Σ_i x_ui log softmax_i f(z) + β KL(N(μ, σ²) ‖ N(0, 1)) (equations 2, 5 and 7), the mean over users; β rises
    from 0 to `kl_weight`. Scores use z = μ. Any history is scored by a forward pass, exactly as in training.

    Differs from the authors' code in the initial parameters, and in that β rises over a share of the steps of a
    training instead of over 200,000. `kl_by_history` is the weight of RecVAE (Shenbin et al., WSDM 2020), with β
    relative to the mean number of items.
    """

    config_class = MultVAEConfig

    def __init__(self, config: MultVAEConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.history = empty_csr()  # [num_users, num_items]
        self.items = torch.empty(0, 0)  # [num_items, hidden_dim + 1]
        self._num_steps = 1  # of the annealing

    def build_network(self, num_users: int, num_items: int) -> VariationalAutoencoder:  # noqa: ARG002  # no user has parameters
        """The autoencoder."""
        return VariationalAutoencoder(num_items, self.config.hidden_dim, self.config.latent_dim)

    def batches(self, matrix: sparse.csr_array, rng: np.random.Generator) -> Iterator[HistoryBatch]:
        """All users with interactions in random order."""
        c = self.config
        num_users = int(np.count_nonzero(np.diff(matrix.indptr)))
        size = cap_batch_size(c.batch_size, num_users)
        self._num_steps = round(c.annealing * c.epochs * -(-num_users // size))
        for rows, history in row_batches(matrix, size, rng):
            dropped = scale_to_length_one(history)
            kept = rng.random(len(dropped.data), dtype=np.float32) >= c.dropout
            dropped.data *= kept / np.float32(1 - c.dropout)
            noise = rng.standard_normal((len(rows), c.latent_dim), dtype=np.float32)
            yield HistoryBatch(history, dropped, noise)

    def loss(self, batch: HistoryBatch) -> Tensor:
        """The negative evidence lower bound with the current weight of the KL term, the mean over the users."""
        c, network = self.config, self.fitted_network
        mean, log_variance = network.encode(batch.dropped)
        noise = torch.from_numpy(batch.noise).to(self.device)
        states = network.decode(mean + torch.exp(0.5 * log_variance) * noise)
        likelihood = multinomial_loss(states @ network.items().T, batch.history)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)  # [batch]
        if c.kl_by_history:
            degree = torch.from_numpy(np.diff(batch.history.indptr)).to(divergence)
            divergence = divergence * (degree / degree.mean())
        share = min(float(network.steps) / max(self._num_steps, 1), 1.0) if self._num_steps else 1.0
        network.steps += 1
        return likelihood + c.kl_weight * share * divergence.mean()

    @torch.no_grad()
    def finish(self, matrix: sparse.csr_array) -> None:
        """Store the histories, and the vectors of the items that have interactions."""
        self.history = matrix
        has_users = torch.from_numpy(np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0)
        self.items = self.fitted_network.items() * has_users.to(self.device).unsqueeze(1)

    def score(self, user_index: IndexArray) -> Tensor:
        """Logits [batch, num_items] float32."""
        return self.fold_in(self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Logits [batch, num_items] float32 of histories [batch, num_items], exactly as in training."""
        return self._encode(history) @ self.items.T

    def embeddings(self) -> Embeddings:
        """States with a column of ones, and item vectors with a column of biases; dot products are the scores."""
        starts = range(0, int(self.history.shape[0]), BLOCK)
        blocks = [self._encode(self.history[start : start + BLOCK]) for start in starts]
        return Embeddings(torch.cat(blocks), self.items)

    def similarity_vectors(self) -> Tensor:
        """The item vectors without their biases, [num_items, hidden_dim]."""
        return self.items[:, :-1]

    def state(self) -> State:
        """The network, the item vectors and the histories, on the CPU."""
        return {"items": self.items.cpu(), **super().state(), **pack("history", self.history)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore network, item vectors and histories."""
        self.items, self.history = state["items"].to(self.device), unpack("history", state)
        self.restore_network(state, *self.history.shape)

    @torch.no_grad()
    def _encode(self, history: sparse.csr_array) -> Tensor:
        """The states and a column of ones [batch, hidden_dim + 1]; 0 for empty histories."""
        network = self.fitted_network
        states = network.decode(network.encode(scale_to_length_one(history))[0])
        has_items = torch.from_numpy(np.diff(history.indptr) > 0).to(self.device)
        return states * has_items.unsqueeze(1)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[MultVAEConfig]:  # noqa: ARG003  # the same for every graph
        """The default, then other weights of the KL term and more dropout."""
        return [
            MultVAEConfig(),
            MultVAEConfig(kl_weight=1.0, kl_by_history=True),
            MultVAEConfig(kl_weight=0.05),
            MultVAEConfig(dropout=0.8),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The settings that matter most."""
        return {
            "hidden_dim": (200, 400, 600, 1000),
            "latent_dim": (50, 100, 200, 400),
            "dropout": Range(0.1, 0.9),
            "kl_weight": Range(0.01, 3.0, log=True),
            "kl_by_history": (False, True),
            "learning_rate": Range(3e-4, 5e-3, log=True),
            "weight_decay": Range(1e-8, 1e-4, log=True),
            "epochs": Range(20, 200, log=True),
        }


def scale_to_length_one(history: sparse.csr_array) -> sparse.csr_array:
    """A copy of a matrix whose rows have length 1; empty rows stay empty."""
    lengths = np.sqrt(np.asarray(history.multiply(history).sum(axis=1), dtype=np.float64).ravel())
    scale = np.repeat(1.0 / np.maximum(lengths, 1e-12), np.diff(history.indptr))
    data = (history.data * scale).astype(np.float32)
    return sparse.csr_array((data, history.indices, history.indptr), shape=history.shape)
