"""The settings of all sequence networks, with their checks."""

from dataclasses import dataclass

from graphrec.errors import DataError
from graphrec.models.trained import TrainedConfig

LOSSES = ("softmax", "gbce")


@dataclass(frozen=True)
class SequenceNetworkConfig(TrainedConfig):
    """Settings of every sequence network; the config of a model sets its own defaults.

    embedding_dim: length of the vectors of items and states, at least 1.
    num_layers: number of layers of the network, at least 1.
    max_length: number of last items of a history that the network reads; in training, longer histories are cut into
        pieces of at most this length.
    dropout: share of the entries of inputs and layers that are dropped in training, below 1.
    loss: softmax (cross entropy of the next item) or gbce (binary cross-entropy of the next item and sampled negatives,
        calibrated).
    num_negatives: number of sampled items that a batch shares as negatives; 0 for all items.
    negative_exponent: items are sampled in proportion to their number of interactions to this power, at
        least 0; the softmax corrects for it, gbce does not.
    calibration: t of gbce, from 0 (plain binary cross-entropy) to 1 (σ(score) is a calibrated probability).
    learning_rate: learning rate of AdamW, above 0.
    final_rate: factor on the learning rate in the last epoch, at least 0; it changes linearly from 1.
    warmup_steps: number of first steps in which the learning rate rises linearly from 0.
    weight_decay: decoupled weight decay of AdamW, at least 0.
    batch_size: number of predicted items per step, at most a sixteenth of all.
    epochs: number of passes over the histories.
    patience: number of epochs without a better NDCG@10 of the last items of 1,000 users, which are held out, after
        which training stops; the network is then trained again on all items, for the best number of epochs. 0 trains
        all epochs.
    init_std: standard deviation of the initial item vectors, above 0.
    warm_start: whether item vectors start from the singular vectors of the graph of transitions instead of noise.
    transition_decay: factor by which each further step between two items lowers the weight of their transition in that
        graph, from 0 (direct neighbours only) to below 1.
    """

    embedding_dim: int = 64
    num_layers: int = 2
    max_length: int = 200
    dropout: float = 0.2
    loss: str = "softmax"
    num_negatives: int = 512
    negative_exponent: float = 0.75
    calibration: float = 0.75
    learning_rate: float = 0.002
    final_rate: float = 0.05
    warmup_steps: int = 100
    weight_decay: float = 0.01
    batch_size: int = 2048
    epochs: int = 10
    patience: int = 0
    init_std: float = 0.125
    warm_start: bool = True
    transition_decay: float = 0.8

    def __post_init__(self) -> None:
        name = type(self).__name__.removesuffix("Config").lower()
        if min(self.embedding_dim, self.num_layers, self.max_length, self.batch_size, self.epochs) < 1:
            raise DataError(
                f"{name}: embedding_dim, num_layers, max_length, batch_size and epochs are at least 1; correct them"
            )
        counts = (self.num_negatives, self.warmup_steps, self.patience)
        if min(*counts, self.negative_exponent, self.final_rate, self.weight_decay) < 0:
            raise DataError(
                f"{name}: num_negatives, negative_exponent, warmup_steps, patience, final_rate and weight_decay are at "
                "least 0"
            )
        if min(self.learning_rate, self.init_std) <= 0:
            raise DataError(f"{name}: learning_rate and init_std are above 0")
        if self.loss not in LOSSES:
            raise DataError(f"{name}: loss is one of {', '.join(LOSSES)}, not {self.loss!r}")
        if not 0 <= self.dropout < 1 or not 0 <= self.transition_decay < 1 or not 0 <= self.calibration <= 1:
            raise DataError(
                f"{name}: dropout and transition_decay are from 0 to below 1, calibration from 0 to 1, not "
                f"{self.dropout}, {self.transition_decay} and {self.calibration}"
            )
        if self.loss == "gbce" and not self.num_negatives:
            raise DataError(f"{name}: gbce needs num_negatives of at least 1; 256 is usual")
