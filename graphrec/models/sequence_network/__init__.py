"""What gru4rec, nextitnet and sasrec share: settings, training on next items, scores and fold-in."""

from graphrec.models.sequence_network.config import SequenceNetworkConfig
from graphrec.models.sequence_network.model import SequenceNetworkModel
from graphrec.models.sequence_network.network import Dropout, Encoder, ResidualOutput

__all__ = ["Dropout", "Encoder", "ResidualOutput", "SequenceNetworkConfig", "SequenceNetworkModel"]
