"""The network of a sequence model: item vectors, dropout, an encoder and a final layer norm."""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Inverted dropout that draws from a generator of its own, so that a seed and a checkpoint decide the masks.

    The share is rounded to a multiple of 1/256, as one random byte decides on each entry: on a CPU that is several
    times faster than torch's own dropout, which needs as much time as an attention layer.

    share: share of the entries that are set to 0.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = round(share * 256)
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begin the random bytes of a seed."""
        self.generator = np.random.Generator(np.random.SFC64(seed))

    def forward(self, x: Tensor) -> Tensor:
        """x with dropped entries in training; x itself otherwise."""
        if not self.training or not self.dropped:
            return x
        drawn = torch.frombuffer(bytearray(self.generator.bytes(x.numel())), dtype=torch.uint8).view(x.shape)
        return x * (drawn >= self.dropped).to(x) * (256 / (256 - self.dropped))


class Encoder(nn.Module):
    """A causal network: row t of its result depends on rows 0 … t of its input only."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The states [batch, length, dim] of inputs x [batch, length, dim]."""


class ResidualOutput(nn.Linear):
    """The last layer of a residual block, whose weights start from 0: an untrained encoder is the identity, so that the
    first scores are those of the initial vectors (Goyal et al., 2017, for convolutional networks)."""


class NextItemNetwork(nn.Module):
    """States h_t = LayerNorm(encoder(√dim · E[i_0 … i_t])_t), and scores h_t Eᵀ + b of the next item.

    items: E, [num_items, dim], the input and output vectors of the items.
    bias: b, [num_items].
    """

    def __init__(self, num_items: int, dim: int, encoder: Encoder, dropout: Dropout) -> None:
        super().__init__()
        self.items = nn.Parameter(torch.empty(num_items, dim))
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.encoder = encoder
        self.dropout = dropout
        self.norm = nn.LayerNorm(dim)

    def forward(self, item: Tensor) -> Tensor:
        """The states [batch, length, dim] after each of the items [batch, length]."""
        x = nn.functional.embedding(item, self.items) * self.items.shape[1] ** 0.5
        states: Tensor = self.norm(self.encoder(self.dropout(x)))
        return states


@torch.no_grad()
def initialise(encoder: Encoder, rng: np.random.Generator) -> None:
    """Draw the weights of all layers from a normal distribution of variance 1 / fan-in, and zero the biases.

    Residual outputs and embeddings, such as those of positions, start from 0, and layer norms from 1. torch's own
    initialisation draws from the global generator.
    """
    for module in encoder.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if "bias" in name or isinstance(module, ResidualOutput | nn.Embedding):
                parameter.zero_()
            elif parameter.dim() >= 2:
                drawn = rng.normal(0.0, parameter[0].numel() ** -0.5, tuple(parameter.shape))
                parameter.copy_(torch.from_numpy(drawn))
