"""CFGAN: a generator of preference vectors, trained against a discriminator of true and generated ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor, nn
from torch.optim import Optimizer

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray
from graphrec.linalg.csr import State, csr_tensor
from graphrec.models.base import Embeddings, Range, Space
from graphrec.models.network import NetworkConfig, NetworkModel, row_batches, sum_rows, with_ones
from graphrec.training.batches import cap_batch_size
from graphrec.vocabulary import IndexArray

#: Rows of a matrix that generator and discriminator read.
ROWS = ("items", "users")

#: Ridge of the fold-in of new users into an item-based model, relative to the mean of the diagonal.
RIDGE = 1e-2


@dataclass(frozen=True)
class CFGANConfig(NetworkConfig):
    """Settings of cfgan, besides those that `NetworkConfig` describes.

    The authors' settings for MovieLens 100K need eight times as many steps: learning_rate=discriminator_rate=1e-4,
    batch_size=32, discriminator_steps=2, zero_weight=0.03, epochs=250.

    rows: items (a row is an item with its users) or users (a row is a user with their items).
    generator_dim: width of the hidden layer of the generator, at least 1.
    discriminator_dim: width of the hidden layer of the discriminator, at least 1.
    noise_dim: length of the random vector that the generator reads besides the condition; 0 for none, as in the paper.
    generator_steps: passes of the generator over the rows per epoch, at least 1.
    discriminator_steps: passes of the discriminator over the rows per epoch, at least 1.
    discriminator_rate: learning rate of the discriminator, above 0.
    discriminator_batch: number of rows per step of the discriminator, at most a sixteenth of all.
    discriminator_decay: weight of half the squared parameters of the discriminator in its loss, at least 0.
    zero_share: share of the missing entries of a row that are drawn for the zero reconstruction, from 0 to 1.
    zero_weight: α, weight of the zero reconstruction in the loss of the generator, at least 0.
    mask_share: share of the missing entries of a row that the discriminator sees too (partial masking), from 0 to 1.
    learning_rate: learning rate of the generator, above 0.
    weight_decay: weight of half the squared parameters of the generator in its loss, at least 0.
    batch_size: number of rows per step of the generator, at most a sixteenth of all.
    """

    rows: str = "items"
    generator_dim: int = 400
    discriminator_dim: int = 125
    noise_dim: int = 0
    generator_steps: int = 4
    discriminator_steps: int = 1
    discriminator_rate: float = 0.001
    discriminator_batch: int = 64
    discriminator_decay: float = 0.0
    zero_share: float = 0.7
    zero_weight: float = 0.05
    mask_share: float = 0.7
    learning_rate: float = 0.001
    weight_decay: float = 0.001
    batch_size: int = 64
    epochs: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows not in ROWS:
            raise DataError(f"cfgan: rows is one of {', '.join(ROWS)}, not {self.rows!r}")
        sizes = (self.generator_dim, self.discriminator_dim, self.discriminator_batch)
        if min(*sizes, self.generator_steps, self.discriminator_steps) < 1 or self.noise_dim < 0:
            raise DataError(
                "cfgan: generator_dim, discriminator_dim, discriminator_batch, generator_steps and discriminator_steps "
                "are at least 1, noise_dim at least 0"
            )
        if self.discriminator_rate <= 0 or min(self.discriminator_decay, self.zero_weight) < 0:
            raise DataError("cfgan: discriminator_rate is above 0, discriminator_decay and zero_weight are at least 0")
        if not 0 <= self.zero_share <= 1 or not 0 <= self.mask_share <= 1:
            raise DataError("cfgan: zero_share and mask_share are from 0 to 1")


@dataclass(frozen=True, eq=False)
class AdversarialBatch:
    """Rows for a step of the generator or of the discriminator, and what is drawn for it.

    rows: conditions c, which are also the true vectors, [batch, num_columns].
    noise: z, [batch, noise_dim].
    visible: e, entries that the discriminator sees, [batch, num_columns]: those of the rows, and masked-in ones.
    zeros: entries of the zero reconstruction, [batch, num_columns]; None for a step of the discriminator.
    """

    rows: sparse.csr_array
    noise: FloatArray
    visible: npt.NDArray[np.bool_]
    zeros: npt.NDArray[np.bool_] | None


class AdversarialNetwork(nn.Module):
    """Generator G and discriminator D, each with one hidden layer of sigmoids.

    inputs, noise, input_bias: first layer of G, [num_columns, dim], [noise_dim, dim] and [dim].
    outputs, output_bias: last layer of G, [num_columns, dim] and [num_columns].
    condition, vector, hidden_bias: first layer of D for c and for x, [num_columns, dim] each, and [dim].
    verdict, verdict_bias: last layer of D, [1, dim] and [1].
    """

    def __init__(self, num_columns: int, config: CFGANConfig) -> None:
        super().__init__()
        generator, discriminator = config.generator_dim, config.discriminator_dim
        self.inputs = nn.Parameter(torch.empty(num_columns, generator))
        self.noise = nn.Parameter(torch.empty(config.noise_dim, generator))
        self.input_bias = nn.Parameter(torch.zeros(generator))
        self.outputs = nn.Parameter(torch.empty(num_columns, generator))
        self.output_bias = nn.Parameter(torch.zeros(num_columns))
        self.condition = nn.Parameter(torch.empty(num_columns, discriminator))
        self.vector = nn.Parameter(torch.empty(num_columns, discriminator))
        self.hidden_bias = nn.Parameter(torch.zeros(discriminator))
        self.verdict = nn.Parameter(torch.empty(1, discriminator))
        self.verdict_bias = nn.Parameter(torch.zeros(1))

    def generator(self) -> list[Tensor]:
        """The parameters of G."""
        return [self.inputs, self.noise, self.input_bias, self.outputs, self.output_bias]

    def discriminator(self) -> list[Tensor]:
        """The parameters of D."""
        return [self.condition, self.vector, self.hidden_bias, self.verdict, self.verdict_bias]

    def encode(self, rows: sparse.csr_array, noise: Tensor | None = None) -> Tensor:
        """Hidden states of G and a column of ones [batch, dim + 1], by default without noise, z = 0."""
        hidden = sum_rows(rows, self.inputs) + self.input_bias
        if noise is not None:
            hidden = hidden + noise @ self.noise
        return with_ones(torch.sigmoid(hidden))

    def columns(self) -> Tensor:
        """Output vectors and biases of G [num_columns, dim + 1]; products with states are generated entries."""
        return torch.cat([self.outputs, self.output_bias.unsqueeze(1)], dim=1)

    def judge(self, rows: sparse.csr_array, vectors: Tensor, is_constant: bool = False) -> Tensor:
        """Logits [batch] of D(x | c) for conditions c and vectors x, both [batch, num_columns].

        If `is_constant`, gradients flow to x only, not to D.
        """
        parameters = [each.detach() for each in self.discriminator()] if is_constant else self.discriminator()
        condition, vector, hidden_bias, verdict, verdict_bias = parameters
        hidden = torch.sigmoid(sum_rows(rows, condition) + vectors @ vector + hidden_bias)
        return hidden @ verdict.squeeze(0) + verdict_bias


class CFGAN(NetworkModel[CFGANConfig, AdversarialNetwork, AdversarialBatch]):
    """score(u, i) = G(c)_i with the generator's vector for the history c of u, or G(c)_u for the users c of item i.

    With rows c of the 0/1 matrix, masks e and probabilities D = σ(logit), an epoch has passes of both losses, which are
    means over rows (Chae et al., CIKM 2018; Goodfellow et al., NeurIPS 2014, with their second loss of G):

    L_D = −log D(c | c) − log(1 − D(G(c, z) ∘ e | c)),
    L_G = −log D(G(c, z) ∘ e | c) + α Σ_{j drawn} G(c, z)_j².

    e is c itself plus a share of the missing entries (PM, partial masking), and the sum is over a share of them (ZR,
    zero reconstruction); both are drawn in each step. Scores use z = 0. G is sigmoid states times output vectors, so
    scores are dot products. A user who was not in training gets, by users, a forward pass, exactly as in training, and
    by items the vector of least squares that gives 1 for the history and 0 for other items.
    """

    config_class = CFGANConfig

    def __init__(self, config: CFGANConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.users = torch.empty(0, 0)  # [num_users, generator_dim + 1]
        self.items = torch.empty(0, 0)  # [num_items, generator_dim + 1]

    def build_network(self, num_users: int, num_items: int) -> AdversarialNetwork:
        """Generator and discriminator."""
        return AdversarialNetwork(num_users if self.config.rows == "items" else num_items, self.config)

    def build_optimizer(self, network: AdversarialNetwork) -> Optimizer:
        """Adam; a step changes the parameters that have a gradient, those of the generator or of the discriminator."""
        c = self.config
        groups = [
            {"params": network.generator(), "lr": c.learning_rate, "weight_decay": c.weight_decay},
            {"params": network.discriminator(), "lr": c.discriminator_rate, "weight_decay": c.discriminator_decay},
        ]
        return torch.optim.Adam(groups, fused=True)

    def batches(self, matrix: sparse.csr_array, rng: np.random.Generator) -> Iterator[AdversarialBatch]:
        """The passes of the discriminator, then those of the generator."""
        c, rows = self.config, self._rows(matrix)
        num_rows = int(np.count_nonzero(np.diff(rows.indptr)))
        passes = (
            (False, c.discriminator_steps, c.discriminator_batch),
            (True, c.generator_steps, c.batch_size),
        )
        for is_generator, number, batch_size in passes:
            for _ in range(number):
                for _, part in row_batches(rows, cap_batch_size(batch_size, num_rows), rng):
                    yield self._draw(is_generator, part, rng)

    def loss(self, batch: AdversarialBatch) -> Tensor:
        """The loss of the generator or of the discriminator."""
        network = self.fitted_network
        noise = torch.from_numpy(batch.noise).to(self.device) if self.config.noise_dim else None
        visible = torch.from_numpy(batch.visible).to(self.device)
        if batch.zeros is None:
            with torch.no_grad():
                generated = network.encode(batch.rows, noise) @ network.columns().T * visible
            true = torch.from_numpy(batch.rows.toarray()).to(self.device)
            return adversarial_loss(network.judge(batch.rows, true), network.judge(batch.rows, generated))
        output = network.encode(batch.rows, noise) @ network.columns().T
        logit = network.judge(batch.rows, output * visible, is_constant=True)
        zeros = (output.square() * torch.from_numpy(batch.zeros).to(self.device)).sum(1).mean()
        return generator_loss(logit) + self.config.zero_weight * zeros

    @torch.no_grad()
    def finish(self, matrix: sparse.csr_array) -> None:
        """Store the vectors of users and items: hidden states of the generator, and its output vectors."""
        network, rows = self.fitted_network, self._rows(matrix)
        states = network.encode(rows) * _has_entries(rows).to(self.device)
        columns = network.columns() * _has_entries(sparse.csr_array(rows.T.tocsr())).to(self.device)
        self.items, self.users = (states, columns) if self.config.rows == "items" else (columns, states)

    def score(self, user_index: IndexArray) -> Tensor:
        """Generated entries [batch, num_items] float32."""
        return self.users[torch.from_numpy(user_index).to(self.device)] @ self.items.T

    @torch.no_grad()
    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of any histories [batch, num_items]; the class says how."""
        if self.config.rows == "users":
            states = self.fitted_network.encode(history.astype(np.float32)) * _has_entries(history).to(self.device)
            return states @ self.items.T
        gram = self.items.T @ self.items  # [dim + 1, dim + 1]
        ridge = RIDGE * gram.diagonal().mean().clamp(min=1e-12)
        sums = csr_tensor(history).to(self.device) @ self.items
        users: Tensor = torch.linalg.solve(gram + ridge * torch.eye(len(gram), device=self.device), sums.T).T
        return users @ self.items.T

    def embeddings(self) -> Embeddings:
        """Hidden states with a column of ones, and output vectors with a column of biases; products are the scores."""
        return Embeddings(self.users, self.items)

    def similarity_vectors(self) -> Tensor:
        """The item vectors without their last column, [num_items, generator_dim]."""
        return self.items[:, :-1]

    def state(self) -> State:
        """The network, and the vectors of users and items, on the CPU."""
        return {"users": self.users.cpu(), "items": self.items.cpu(), **super().state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore network and vectors."""
        self.users, self.items = (state[name].to(self.device) for name in ("users", "items"))
        self.restore_network(state, len(self.users), len(self.items))

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[CFGANConfig]:  # noqa: ARG003  # the same for every graph
        """The default, and the model of users."""
        return [CFGANConfig(), CFGANConfig(rows="users")]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The settings that the paper searches, besides the number of passes."""
        return {
            "generator_dim": (100, 200, 300, 400),
            "discriminator_dim": (50, 125, 250),
            "learning_rate": Range(5e-5, 2e-3, log=True),
            "weight_decay": Range(1e-5, 1e-2, log=True),
            "discriminator_rate": Range(5e-5, 2e-3, log=True),
            "zero_share": Range(0.1, 0.9),
            "zero_weight": Range(0.003, 1.0, log=True),
            "mask_share": Range(0.1, 0.9),
            "epochs": Range(20, 400, log=True),
        }

    def _rows(self, matrix: sparse.csr_array) -> sparse.csr_array:
        return sparse.csr_array(matrix.T.tocsr()) if self.config.rows == "items" else matrix

    def _draw(self, is_generator: bool, rows: sparse.csr_array, rng: np.random.Generator) -> AdversarialBatch:
        """A batch with its random numbers."""
        c = self.config
        known = rows.toarray() > 0
        visible = known | (rng.random(known.shape, dtype=np.float32) < c.mask_share)
        zeros = ~known & (rng.random(known.shape, dtype=np.float32) < c.zero_share) if is_generator else None
        noise = rng.standard_normal((len(known), c.noise_dim), dtype=np.float32)
        return AdversarialBatch(rows, noise, visible, zeros)


def adversarial_loss(true: Tensor, generated: Tensor) -> Tensor:
    """The mean of −log D(x) − log(1 − D(G(z))) over logits of D, [batch] each."""
    return (F.softplus(-true) + F.softplus(generated)).mean()


def generator_loss(generated: Tensor) -> Tensor:
    """The mean of −log D(G(z)) over logits of D, [batch]."""
    return F.softplus(-generated).mean()


def _has_entries(rows: sparse.csr_array) -> Tensor:
    """Whether each row has entries, [n, 1] bool."""
    return torch.from_numpy(np.diff(rows.indptr) > 0).unsqueeze(1)
