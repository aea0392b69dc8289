"""NextItNet: residual blocks of dilated causal convolutions over the history of a user."""

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
class NextItNetConfig(SequenceNetworkConfig):
    """Settings of nextitnet, besides those that `SequenceNetworkConfig` describes.

    num_layers: number of residual blocks of two convolutions each, with dilations 1 and 2, 4 and 8, 16 and 32, then
        again from 1.
    kernel_size: number of items that a convolution combines, at least 2.
    """

    kernel_size: int = 3
    num_layers: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_size < 2:
            raise DataError("nextitnet: kernel_size is at least 2")


class CausalConvolution(nn.Module):
    """y_t = Σ_k W_k x_{t − k · dilation} + b, with zeros before the first row."""

    def __init__(self, dim: int, kernel_size: int, dilation: int, kind: type[nn.Linear]) -> None:
        super().__init__()
        self.shifts = [k * dilation for k in range(kernel_size)]
        self.combine = kind(kernel_size * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of x [batch, length, dim], in the same shape."""
        length = x.shape[1]
        shifted = [functional.pad(x, (0, 0, shift, 0))[:, :length] for shift in self.shifts]
        y: Tensor = self.combine(torch.cat(shifted, dim=2))  # one matrix product, faster than a convolution on a CPU
        return y


class ResidualBlock(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))), the second convolution with twice the dilation of the first."""

    def __init__(self, dim: int, kernel_size: int, dilation: int, dropout: Dropout) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.convolutions = nn.ModuleList(
            CausalConvolution(dim, kernel_size, dilation * n, kind) for n, kind in ((1, nn.Linear), (2, ResidualOutput))
        )
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """The block's result for x [batch, length, dim], in the same shape."""
        y = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            y = convolution(functional.relu(norm(y)))
        result: Tensor = x + self.dropout(y)
        return result


class ConvolutionalEncoder(Encoder):
    """Residual blocks in sequence."""

    def __init__(self, config: NextItNetConfig, dropout: Dropout) -> None:
        super().__init__()
        dilations = [4 ** (layer % 3) for layer in range(config.num_layers)]
        self.blocks = nn.ModuleList(
            ResidualBlock(config.embedding_dim, config.kernel_size, dilation, dropout) for dilation in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        """The states [batch, length, dim] of inputs x [batch, length, dim]."""
        for block in self.blocks:
            x = block(x)
        return x


class NextItNet(SequenceNetworkModel[NextItNetConfig]):
    """Dilated causal convolutions that predict the next item (Yuan et al., WSDM 2019).

    It differs from the paper in the norm before instead of after each convolution and in the dropout.
    """

    config_class = NextItNetConfig

    def build_encoder(self, dropout: Dropout) -> Encoder:
        """The residual blocks."""
        return ConvolutionalEncoder(self.config, dropout)
