"""Matrix factorisation, trained with a softmax or pairwise loss, or sampled from a Bayesian posterior of ratings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State
from graphrec.linalg.threads import one_thread
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Embeddings, Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.mf.gibbs import GibbsConfig, Noise, sample_posterior
from graphrec.models.mf.posterior import RatingPosterior
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.training.batches import RatingBatch, rating_batches
from graphrec.training.losses import mse_loss
from graphrec.training.objectives import Batch, Encode, Objective
from graphrec.vocabulary import IndexArray

#: Default length of the vectors for ratings; a mean over many draws needs no longer ones.
RATING_DIM = 12

#: Threshold in ratings times squared vector length below which one thread is faster than several.
ONE_THREAD_BELOW = 1 << 28


@dataclass(frozen=True)
class MFConfig(EmbeddingConfig):
    """Settings of mf, besides those that `EmbeddingConfig` describes.

    embedding_dim: d, length of the vectors, at least 1; for mse, of the vectors of one draw (12 is a good length).
    loss: softmax or bpr, which rank items by 0/1 interactions, or mse, which predicts ratings (the edge weights).
    cosine: whether scores are cosines instead of dot products; mse always uses dot products.
    draws: for mse, S, number of draws from the posterior that are averaged, two sweeps apart; 0 trains one set of
        vectors by gradient descent on squared errors, with the settings of training.
    weight_decay: weight of half the squared vectors of a batch, at least 0.
    burn_in: for mse, number of sweeps before the first draw, at least 0.
    implicit: for mse, whether the prior of a user depends on the items rated, and that of an item on its users, as in
        SVD++.
    noise_freedom: for mse, ν, degrees of freedom of the noise weights of users, at least 0; the larger, the more equal
        the noise of all users. 0 makes it equal.
    """

    loss: str = "softmax"
    negatives: str = "all"
    temperature: float = 0.2
    cosine: bool = True
    learning_rate: float = 0.01
    epochs: int = 15
    warm_start: bool = True
    draws: int = 50
    burn_in: int = 30
    implicit: bool = True
    noise_freedom: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.draws, self.burn_in, self.noise_freedom) < 0:
            raise DataError("mf: draws, burn_in and noise_freedom are at least 0")
        if self.descends_on_ratings and self.patience:
            raise DataError("mf: patience is for rankings; with loss=mse set the number of epochs instead")

    @property
    def descends_on_ratings(self) -> bool:
        """Whether vectors are trained by gradient descent on the squared errors of ratings."""
        return self.loss == "mse" and not self.draws

    @property
    def objective(self) -> Objective:
        """The loss that the settings describe; mse uses dot products."""
        return replace(super().objective, cosine=self.cosine and self.loss != "mse")


class MF(EmbeddingModel[MFConfig]):
    """score(u, i) = x_u · y_i with a vector x_u [d] of each user and y_i [d] of each item.

    loss=softmax, bpr: the vectors are trained (`EmbeddingModel`; Rendle et al., UAI 2009; Wu et al., TOIS 2024).

    loss=mse: score(u, i) = m + Σ_s x_u^(s) · y_i^(s) / S, a predicted rating with the mean rating m and S draws s from
    the posterior of Bayesian probabilistic matrix factorisation (Salakhutdinov and Mnih, ICML 2008): squared errors and
    Gaussian priors, whose means act as biases and whose precisions, the regularisation, are drawn too. The implicit
    terms of SVD++ (Koren, KDD 2008) are added on both sides. Users and items without ratings have the means of their
    priors.

    With draws=0 instead, score(u, i) = x_u · y_i minimises the mean of (r_ui − x_u · y_i)² + weight_decay/2 · (‖x_u‖² +
    ‖y_i‖²) over the ratings (Koren, Bell and Volinsky, Computer 2009, equation 2), whose gradient is, for one rating,
    −2 (r_ui − x_u · y_i) y_i + weight_decay · x_u in x_u, and likewise in y_i. Vectors start around √(m/d), so that the
    first predictions are about m. A new user gets the vector that minimises the same mean for given y.
    """

    config_class = MFConfig

    def __init__(self, config: MFConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.posterior: RatingPosterior | None = None  # for mse only

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:  # noqa: ARG002  # the vectors are the parameters
        """A function that returns some rows of x, or all."""
        return lambda rows: x if rows is None else x[torch.from_numpy(rows).to(x.device)]

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the vectors; for mse, draw them from the posterior.

        Raises:
            DataError: there are no interactions, there are no ratings for mse, or the checkpoint belongs to another
                training.
            GraphrecError: the checkpoint cannot be read or written, or there is one for mse.
        """
        c = self.config
        if c.loss != "mse" or c.descends_on_ratings:
            super().fit(graph, interactions, rng, progress)
            return
        if self.checkpoints is not None:
            raise GraphrecError("mf: ratings are sampled in seconds, without checkpoints; fit without a checkpoint")
        ratings = build_rating_matrix(interactions)
        bounds = (float(ratings.data.min()), float(ratings.data.max()))
        gibbs = GibbsConfig(c.embedding_dim, c.draws, c.burn_in, c.implicit, c.noise_freedom)
        few = ratings.nnz * c.embedding_dim**2 < ONE_THREAD_BELOW
        with one_thread(self.device.type == "cpu" and few), torch.no_grad():
            self.posterior = sample_posterior(ratings, bounds, gibbs, Noise(rng, self.device), progress)

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:
        """The initial vectors; for gradient descent on ratings, normally distributed around √(mean rating / d)."""
        c = self.config
        if not c.descends_on_ratings:
            return super().initial_parameters(training, rng)
        mean = float(build_rating_matrix(training.interactions).data.mean())
        centre = (max(mean, 0.0) / c.embedding_dim) ** 0.5
        normal = rng.normal(centre, c.init_std, (training.num_nodes, c.embedding_dim))
        return torch.from_numpy(normal.astype(np.float32))

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch."""
        if not self.config.descends_on_ratings:
            return super().batches(training, rng)
        return rating_batches(build_rating_matrix(training.interactions), self.config.batch_size, rng)

    def loss(self, x: Tensor, encode: Encode, batch: Batch, training: TrainingData, rng: np.random.Generator) -> Tensor:
        """The loss of a batch per interaction, with its weight decay."""
        if not isinstance(batch, RatingBatch):
            return super().loss(x, encode, batch, training, rng)
        users, items = (
            F.embedding(torch.from_numpy(index).to(x.device), x)
            for index in (batch.user, training.num_users + batch.positive)
        )
        value = mse_loss((users * items).sum(1), torch.from_numpy(batch.rating).to(x.device))
        penalty = users.square().sum() + items.square().sum()
        return value + self.config.weight_decay / (2 * len(batch.user)) * penalty

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products, cosines or, for mse, predicted ratings [batch, num_items] float32."""
        return super().score(user_index) if self.posterior is None else self.posterior.score(user_index)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of the items [batch, m] for the users [batch]."""
        if self.posterior is None:
            return super().score_pairs(user_index, item_index)
        return self.posterior.score_pairs(user_index, item_index)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users from their items; for mse from the ratings in `history`."""
        if self.config.descends_on_ratings:
            return solve_users(history, self.items, self.config.weight_decay) @ self.items.T
        return super().fold_in(history) if self.posterior is None else self.posterior.fold_in(history)

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """As `fold_in`; for mse with the ratings of the target behaviour."""
        if self.config.loss != "mse":
            return super().fold_in_users(target, relations)
        return self.fold_in(build_rating_matrix(target))

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """As for every embedding model; amount None for mse, as the model does not store the ratings."""
        if self.config.loss == "mse":
            return HistoryAttribution(None, exact=False)
        return super().explain_history(history, user_index, item_index)

    def embeddings(self) -> Embeddings:
        """The vectors, whose dot products are the scores; for mse the draws side by side, without the mean rating."""
        if self.posterior is None:
            return super().embeddings()
        users, items = self.posterior.users.flatten(1), self.posterior.items.flatten(1)
        return Embeddings(users / self.posterior.users.shape[1], items)

    def state(self) -> State:
        """The vectors and the messages of items to new users, or for mse the draws, on the CPU."""
        return super().state() if self.posterior is None else self.posterior.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore vectors or draws."""
        if "span" in state:
            self.posterior = RatingPosterior.from_state(state, self.config.noise_freedom, self.device)
        else:
            self.posterior = None
            super().restore(state)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[MFConfig]:  # noqa: ARG003  # the same for every graph
        """Softmax at several temperatures, the setting that matters most, then its bilateral form."""
        plain = [MFConfig(temperature=temperature) for temperature in (0.2, 0.1, 0.15)]
        return [*plain, *(MFConfig(positive_temperature=factor * 0.2) for factor in (0.9, 1.15))]

    @classmethod
    def rating_candidates(cls, config: MFConfig) -> list[MFConfig]:
        """The configs worth measuring on ratings; other settings are those of `config`."""
        first = replace(config, loss="mse", embedding_dim=RATING_DIM)
        return [first, replace(first, embedding_dim=2 * RATING_DIM), replace(first, implicit=False)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The settings that matter for a softmax; for ratings there are `rating_candidates`."""
        return {
            "temperature": Range(0.05, 0.4, log=True),
            "learning_rate": Range(1e-3, 3e-2, log=True),
            "weight_decay": Range(1e-7, 1e-3, log=True),
            "epochs": Range(5, 60, log=True),
        }


def solve_users(ratings: sparse.csr_array, items: Tensor, weight_decay: float) -> Tensor:
    """The vectors x [batch, dim] with the least Σ (r_i − x · y_i)² + n weight_decay/2 · ‖x‖² over the n stored ratings
    of each row [batch, num_items], for vectors y [num_items, dim]; those of rows without ratings are 0."""
    users = items.new_zeros(ratings.shape[0], items.shape[1])
    identity = torch.eye(items.shape[1], device=items.device)
    for row in np.flatnonzero(np.diff(ratings.indptr)):
        part = slice(ratings.indptr[row], ratings.indptr[row + 1])
        rated = items[torch.from_numpy(ratings.indices[part].astype(np.int64)).to(items.device)]  # [n, dim]
        rating = torch.from_numpy(ratings.data[part].astype(np.float32)).to(items.device)
        ridge = max(len(rated) * weight_decay / 2, 1e-6)  # at least what makes the system regular
        users[row] = torch.linalg.solve(rated.T @ rated + ridge * identity, rated.T @ rating)
    return users


def build_rating_matrix(interactions: Interactions) -> sparse.csr_array:
    """The ratings [num_users, num_items] float32 of all rated pairs. Ratings of 0 are stored entries; several ratings
    of a pair are averaged. Raises DataError if there are no ratings or one is not finite."""
    weight = interactions.weight
    if weight is None or not len(weight):
        raise DataError("mf: mse predicts ratings, but these interactions have none; choose softmax or bpr")
    missing = int(np.count_nonzero(~np.isfinite(weight)))
    if missing:
        raise DataError(f"mf: {missing:,} of {len(weight):,} interactions have no rating; leave them out")
    shape, pairs = (interactions.num_users, interactions.num_items), (interactions.user_index, interactions.item_index)
    total, count = (
        sparse.csr_array((values, pairs), shape=shape) for values in (weight.astype(np.float64), np.ones(len(weight)))
    )
    for matrix in (total, count):
        matrix.sum_duplicates()
    mean = (total.data / count.data).astype(np.float32)
    return sparse.csr_array((mean, total.indices, total.indptr), shape=shape)
