"""The settings that all trained embedding models share, and their checks."""

from dataclasses import dataclass

from graphrec.errors import DataError
from graphrec.training.objectives import LOSSES, NEGATIVES, Objective

#: Maximum number of negatives per interaction, except for softmax: more fill the memory without better results.
MOST_NEGATIVES = 100


@dataclass(frozen=True)
class EmbeddingConfig:
    """Settings of every trained embedding model; the config of a model sets its own defaults.

    embedding_dim: length of the vectors.
    loss: bpr, softmax or mse.
    negatives: of the softmax: all items, the other items of the batch, or uniform ones; bpr has uniform negatives.
    num_negatives: number of uniform negatives: of each interaction, or of a batch for softmax.
    temperature: temperature of the softmax, by which scores are divided.
    cosine: whether scores are cosines instead of dot products.
    correction: whether a softmax over sampled items subtracts the log of their sampling probability.
    learning_rate: learning rate of Adam.
    final_rate: share of the learning rate in the last epoch; it falls linearly.
    weight_decay: weight of the squared parameters of a batch.
    batch_size: number of interactions in one step, at most a sixteenth of all.
    epochs: maximum number of passes over the interactions.
    patience: 0 trains all epochs; n > 0 holds out a twentieth of the interactions and stops after n measurements, five
        epochs apart, without a better recall@20.
    init_std: standard deviation of the initial parameters.
    warm_start: whether training starts from the singular vectors of the interaction matrix instead of noise.
    """

    embedding_dim: int = 64
    loss: str = "bpr"
    negatives: str = "uniform"
    num_negatives: int = 1
    temperature: float = 0.1
    cosine: bool = False
    correction: bool = True
    learning_rate: float = 0.005
    final_rate: float = 1.0
    weight_decay: float = 1e-4
    batch_size: int = 2048
    epochs: int = 40
    patience: int = 0
    init_std: float = 0.1
    warm_start: bool = False

    def __post_init__(self) -> None:
        name = type(self).__name__.removesuffix("Config").lower()
        if min(self.embedding_dim, self.batch_size, self.epochs) < 1 or min(self.patience, self.num_negatives) < 0:
            raise DataError(
                f"{name}: embedding_dim, batch_size and epochs are at least 1, patience and num_negatives at least 0"
            )
        for setting, value, choices in (("loss", self.loss, LOSSES), ("negatives", self.negatives, NEGATIVES)):
            if value not in choices:
                raise DataError(f"{name}: {setting} is one of {', '.join(choices)}, not {value!r}")
        if min(self.temperature, self.learning_rate, self.init_std) <= 0 or min(self.final_rate, self.weight_decay) < 0:
            raise DataError(
                f"{name}: temperature, learning_rate and init_std are above 0, final_rate and weight_decay not below"
            )
        if self.loss != "softmax" and self.num_negatives > MOST_NEGATIVES:
            raise DataError(
                f"{name}: with {self.loss} num_negatives is for each interaction, so at most {MOST_NEGATIVES}, not "
                f"{self.num_negatives}; 1 is usual"
            )
        if self.loss != "mse" and self.negatives == "uniform" and not self.num_negatives:
            raise DataError(f"{name}: num_negatives is at least 1 for {self.loss} with uniform negatives")

    @property
    def objective(self) -> Objective:
        """The loss that the settings describe."""
        return Objective(self.loss, self.negatives, self.num_negatives, self.temperature, self.cosine, self.correction)
