"""SASRec: a causal transformer over the history of a user."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphrec.errors import DataError
from graphrec.models.sequence_network import (
    Dropout,
    Encoder,
    ResidualOutput,
    SequenceNetworkConfig,
    SequenceNetworkModel,
)


@dataclass(frozen=True)
class SASRecConfig(SequenceNetworkConfig):
    """Settings of sasrec, besides those that `SequenceNetworkConfig` describes.

    num_heads: number of attention heads, a divisor of embedding_dim.
    gated: whether blocks are the LiGR layers of eSASRec, whose residuals are gated, instead of plain pre-norm blocks.
    recency: whether attention falls with the distance of two items (ALiBi), at a different rate in each head.
    """

    num_heads: int = 2
    gated: bool = False
    recency: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_heads < 1 or self.embedding_dim % self.num_heads:
            raise DataError(f"sasrec: num_heads must divide embedding_dim {self.embedding_dim}, not {self.num_heads}")


class Attention(nn.Module):
    """Causal multi-head attention: row t sees rows 0 … t."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.project = nn.Linear(dim, 3 * dim)
        self.output = ResidualOutput(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Attention over x [batch, length, dim] with a bias [heads, length, length], −∞ for later rows; or without."""
        batch, length, dim = x.shape
        query, key, value = self.project(x).view(batch, length, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, mask, is_causal=mask is None)
        result: Tensor = self.output(mixed.transpose(1, 2).reshape(batch, length, dim))
        return result


class FeedForward(nn.Module):
    """W₂ gelu(W₁ x), or W₂ (silu(W₁ x) ∘ W₃ x) (SwiGLU) if gated."""

    def __init__(self, dim: int, gated: bool) -> None:
        super().__init__()
        self.gated = gated
        self.enter = nn.Linear(dim, 4 * dim if gated else 2 * dim)
        self.leave = ResidualOutput(2 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """The result for x [batch, length, dim], in the same shape."""
        hidden = self.enter(x)
        if self.gated:
            gate, hidden = hidden.chunk(2, dim=2)
            hidden = functional.silu(gate) * hidden
        else:
            hidden = functional.gelu(hidden)
        result: Tensor = self.leave(hidden)
        return result


class TransformerBlock(nn.Module):
    """x ← x + f(norm(x)) for attention f, then for feed-forward f; if gated x ← x + σ(W x) ∘ f(norm(x))."""

    def __init__(self, config: SASRecConfig, dropout: Dropout) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.attention = Attention(dim, config.num_heads)
        self.feed_forward = FeedForward(dim, config.gated)
        self.gates = nn.ModuleList(nn.Linear(dim, dim) for _ in range(2 if config.gated else 0))
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The block's result for x [batch, length, dim], in the same shape."""
        x = self._add(x, self.attention(self.norms[0](x), mask), 0)
        return self._add(x, self.feed_forward(self.norms[1](x)), 1)

    def _add(self, x: Tensor, change: Tensor, place: int) -> Tensor:
        if self.gates:
            change = torch.sigmoid(self.gates[place](x)) * change
        result: Tensor = x + self.dropout(change)
        return result


class TransformerEncoder(Encoder):
    """Learned vectors of positions, and transformer blocks."""

    def __init__(self, config: SASRecConfig, dropout: Dropout) -> None:
        super().__init__()
        self.position = nn.Embedding(config.max_length, config.embedding_dim)
        self.blocks = nn.ModuleList(TransformerBlock(config, dropout) for _ in range(config.num_layers))
        self.slopes = [2.0 ** (-8.0 * (head + 1) / config.num_heads) for head in range(config.num_heads)]
        self.recency = config.recency

    def forward(self, x: Tensor) -> Tensor:
        """The states [batch, length, dim] of inputs x [batch, length, dim]."""
        length = x.shape[1]
        x = x + self.position.weight[:length]
        mask = self._mask(length, x) if self.recency else None
        for block in self.blocks:
            x = block(x, mask)
        return x

    def _mask(self, length: int, x: Tensor) -> Tensor:
        """−slope · distance of each head, and −∞ for later rows, [num_heads, length, length]."""
        place = torch.arange(length, device=x.device)
        distance = (place.unsqueeze(1) - place).to(x.dtype)
        mask = -torch.tensor(self.slopes, device=x.device, dtype=x.dtype).view(-1, 1, 1) * distance
        return mask.masked_fill(distance < 0, -torch.inf)


class SASRec(SequenceNetworkModel[SASRecConfig]):
    """A causal transformer that predicts the next item (Kang and McAuley, ICDM 2018).

    SASRec+ (Klenitskiy and Vasilev, RecSys 2023) has loss=softmax with num_negatives=0, gSASRec (Petrov and Macdonald,
    RecSys 2023) loss=gbce, eSASRec (Tikhonovich et al., RecSys 2025) gated=true with a sampled softmax. It differs from
    the papers in that attention weights have no dropout, in `recency` (ALiBi: Press et al., ICLR 2022), and in that the
    vectors of items are inputs and outputs for gbce too.
    """

    config_class = SASRecConfig

    def build_encoder(self, dropout: Dropout) -> Encoder:
        """The transformer blocks."""
        return TransformerEncoder(self.config, dropout)
