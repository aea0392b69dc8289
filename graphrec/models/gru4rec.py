"""GRU4Rec: a recurrent network over the history of a user."""

from dataclasses import dataclass

from torch import Tensor, nn

from graphrec.errors import DataError
from graphrec.models.sequence_network import (
    Dropout,
    Encoder,
    ResidualOutput,
    SequenceNetworkConfig,
    SequenceNetworkModel,
)

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


@dataclass(frozen=True)
class GRU4RecConfig(SequenceNetworkConfig):
    """Settings of gru4rec, besides those that `SequenceNetworkConfig` describes.

    cell: gru or lstm.
    hidden_dim: length of the states of the recurrent layers, at least 1.
    """

    cell: str = "gru"
    hidden_dim: int = 128
    num_layers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell not in CELLS:
            raise DataError(f"gru4rec: cell is one of {', '.join(CELLS)}, not {self.cell!r}")
        if self.hidden_dim < 1:
            raise DataError("gru4rec: hidden_dim is at least 1")


class RecurrentEncoder(Encoder):
    """x + W · RNN(x), with layers of GRU or LSTM cells of `hidden_dim` entries."""

    def __init__(self, config: GRU4RecConfig, dropout: Dropout) -> None:
        super().__init__()
        sizes = [config.embedding_dim] + [config.hidden_dim] * (config.num_layers - 1)
        self.layers = nn.ModuleList(CELLS[config.cell](size, config.hidden_dim, batch_first=True) for size in sizes)
        self.output = ResidualOutput(config.hidden_dim, config.embedding_dim)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """The states [batch, length, dim] of inputs x [batch, length, dim]."""
        hidden = x
        for layer in self.layers:
            hidden = self.dropout(layer(hidden)[0])  # [batch, length, hidden_dim]
        states: Tensor = x + self.output(hidden)
        return states


class GRU4Rec(SequenceNetworkModel[GRU4RecConfig]):
    """A recurrent network that predicts the next item (Hidasi et al., ICLR 2016; Hidasi and Karatzoglou, CIKM 2018).

    It differs from the authors' code in that whole histories instead of parallel sessions are a batch, in a residual
    connection, by which an untrained network scores by the last item, and in the optimiser.
    """

    config_class = GRU4RecConfig

    def build_encoder(self, dropout: Dropout) -> Encoder:
        """The recurrent layers."""
        return RecurrentEncoder(self.config, dropout)
