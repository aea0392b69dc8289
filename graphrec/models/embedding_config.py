"""The settings of all trained embedding models, with their checks."""

from dataclasses import dataclass

from graphrec.errors import DataError
from graphrec.models.trained import TrainedConfig
from graphrec.training.objectives import LOSSES, NEGATIVES, Objective

#: Maximum number of negatives per interaction, except for softmax: more need memory without better results.
MAX_NEGATIVES = 100


@dataclass(frozen=True)
class EmbeddingConfig(TrainedConfig):
    """Settings of every trained embedding model; the config of a model sets its own defaults.

    embedding_dim: length of the vectors, at least 1.
    loss: bpr, softmax or mse (target 1 for interactions and 0 for negatives).
    negatives: negatives of the softmax: all (all items) or popular (items drawn by √degree), both with batches of
        users; batch (the other items of a batch of interactions) or uniform (uniformly drawn items, shared by the
        batch); bpr and mse have uniform negatives.
    num_negatives: number of sampled negatives: per interaction for bpr and mse, per batch for softmax.
    temperature: τ, temperature of the softmax, above 0; scores are divided by it.
    positive_temperature: τ⁺, temperature of the positives in the numerator of the softmax, which makes it the bilateral
        softmax loss; 0 is the same as `temperature`, the plain softmax. Cosines only. The authors use 0.8 to 1.3 times
        `temperature`; with much more, the loss is lowest when all cosines of users and items are −1.
    cosine: whether scores are cosines instead of dot products.
    correction: whether a softmax over sampled items subtracts the log of their expected frequency in the sample.
    learning_rate: learning rate of Adam, above 0.
    final_rate: factor on the learning rate in the last epoch, at least 0; it changes linearly from 1.
    weight_decay: weight of the squared parameters of a batch, at least 0.
    batch_size: number of interactions per step, at most a sixteenth of all.
    epochs: maximum number of passes over the interactions.
    stop_epoch: number of epochs after which training ends, with learning rates as in a training of all `epochs`; 0 for
        all. Early stopping sets it.
    patience: number of measurements of recall@20, five epochs apart, without improvement after which training stops; a
        twentieth of the interactions is held out for them, and a second training learns from all interactions until
        the best epoch. 0 trains all epochs at once.
    init_std: standard deviation of the initial embeddings, or their root mean square after a warm start; above 0.
    warm_start: whether training starts from the singular vectors of the interaction matrix instead of noise.
    """

    embedding_dim: int = 64
    loss: str = "bpr"
    negatives: str = "uniform"
    num_negatives: int = 1
    temperature: float = 0.1
    positive_temperature: float = 0.0
    cosine: bool = False
    correction: bool = True
    learning_rate: float = 0.005
    final_rate: float = 1.0
    weight_decay: float = 1e-4
    batch_size: int = 2048
    epochs: int = 40
    stop_epoch: int = 0
    patience: int = 0
    init_std: float = 0.1
    warm_start: bool = False

    def __post_init__(self) -> None:
        name = type(self).__name__.removesuffix("Config").lower()
        if min(self.embedding_dim, self.batch_size, self.epochs) < 1 or min(self.patience, self.num_negatives) < 0:
            raise DataError(
                f"{name}: embedding_dim, batch_size and epochs are at least 1, patience and num_negatives at least 0"
            )
        if not 0 <= self.stop_epoch <= self.epochs:
            raise DataError(f"{name}: stop_epoch is at least 0 and at most epochs")
        for setting, value, choices in (("loss", self.loss, LOSSES), ("negatives", self.negatives, NEGATIVES)):
            if value not in choices:
                raise DataError(f"{name}: {setting} is one of {', '.join(choices)}, not {value!r}")
        if min(self.temperature, self.learning_rate, self.init_std) <= 0 or min(self.final_rate, self.weight_decay) < 0:
            raise DataError(
                f"{name}: temperature, learning_rate and init_std are above 0, final_rate and weight_decay at least 0"
            )
        if self.positive_temperature < 0:
            raise DataError(f"{name}: positive_temperature is above 0, or 0 for the same as temperature")
        # adding c to all scores changes the loss by c (1/temperature − 1/positive_temperature), so dot products diverge
        if self.positive_temperature and (self.loss != "softmax" or not self.cosine):
            raise DataError(
                f"{name}: positive_temperature is for a softmax of cosines; leave it out, or set loss=softmax and "
                "cosine=true"
            )
        if self.loss != "softmax" and self.num_negatives > MAX_NEGATIVES:
            raise DataError(
                f"{name}: with {self.loss} num_negatives is per interaction, so at most {MAX_NEGATIVES}, not "
                f"{self.num_negatives}; 1 is usual"
            )
        if self.loss != "mse" and self.negatives == "uniform" and not self.num_negatives:
            raise DataError(f"{name}: num_negatives is at least 1 for {self.loss} with uniform negatives")

    @property
    def objective(self) -> Objective:
        """The loss that the settings describe."""
        return Objective(
            self.loss,
            self.negatives,
            self.num_negatives,
            self.temperature,
            self.positive_temperature,
            self.cosine,
            self.correction,
        )
