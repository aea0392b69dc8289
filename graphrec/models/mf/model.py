"""Matrix factorisation: vectors of users and items, trained by softmax or pairwise ranking, or sampled for ratings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
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
from graphrec.models.mf.gibbs import Noise, Sampling, sample
from graphrec.models.mf.posterior import RatingPosterior
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.training.objectives import Encode
from graphrec.vocabulary import IndexArray

#: Length of the vectors of a draw that is right for ratings; a posterior of many draws needs no more.
RATING_DIM = 12

#: Ratings times squared length below which a second thread costs more than it saves.
SMALL = 1 << 28


@dataclass(frozen=True)
class MFConfig(EmbeddingConfig):
    """Settings of mf.

    embedding_dim: length of the vectors; for mse of those of one draw (12 is good there).
    loss: softmax or bpr, which rank items by 0/1 interactions, or mse, which predicts ratings (the weights).
    negatives: of the softmax: all (every item, exact, whole users in a batch), batch (the items of the other
        interactions of the batch) or uniform (num_negatives shared by the batch); bpr has uniform ones.
    num_negatives: uniform negatives of each interaction for bpr, of a batch for softmax.
    temperature: of the softmax.
    cosine: whether scores are cosines instead of dot products; mse has dot products in any case.
    correction: whether a softmax over a sample of items is corrected by the log of how often they are drawn.
    learning_rate: of Adam.
    final_rate: the share of the learning rate that is left in the last epoch; it falls linearly.
    weight_decay: weight of the squared vectors of a batch.
    batch_size: interactions in one step, at most a sixteenth of all.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial vectors, or their root mean square after a warm start.
    warm_start: whether to begin with the singular vectors of the interaction matrix instead of noise.
    draws: for mse, factorisations drawn from the posterior and averaged, two sweeps apart.
    burn_in: for mse, sweeps before the first draw.
    implicit: for mse, whether which items a user rated, and which users an item, moves their vectors, as in SVD++.
    noise_freedom: for mse, how alike the users' noise is, in ratings; 0 makes it the same for all.
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
        if self.draws < 1 or self.burn_in < 0 or self.noise_freedom < 0:
            raise DataError("mf: draws is at least 1, burn_in and noise_freedom at least 0")


class MF(EmbeddingModel[MFConfig]):
    """score(u, i) = x_u · y_i, with vectors learned one for each user and item.

    softmax, bpr: trained as `EmbeddingModel` says (Rendle et al., UAI 2009; Wu et al., TOIS 2024).
    mse: mean + x_u · y_i under squared errors with Gaussian priors, Bayesian probabilistic matrix factorisation
    (Salakhutdinov and Mnih, ICML 2008) with the implicit terms of SVD++ on both sides; the means of the priors are
    the biases. Instead of one set of vectors at the least regularised error, with a regularisation to be searched,
    the prediction is the mean of many sets drawn from the posterior, whose regularisation is drawn with them.
    Users and items without ratings get what their priors expect: the mean, moved by the other's bias.
    """

    config_class = MFConfig

    def __init__(self, config: MFConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.posterior: RatingPosterior | None = None  # of ratings, for mse

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:  # noqa: ARG002  # the vectors are the parameters
        """Some rows of x, or all."""
        return lambda rows: x if rows is None else x[torch.from_numpy(rows).to(x.device)]

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Train the vectors; for mse, draw them.

        Raises:
            DataError: there are no interactions, no ratings for mse, or the checkpoint is of another training.
            GraphrecError: the checkpoint cannot be read or written, or mse was given one.
        """
        c = self.config
        if c.loss != "mse":
            super().fit(graph, interactions, rng, progress)
            return
        if self.checkpoints is not None:
            raise GraphrecError("mf: ratings are sampled in seconds, without checkpoints; fit without a checkpoint")
        ratings = rating_matrix(interactions)
        bounds = (float(ratings.data.min()), float(ratings.data.max()))
        sampling = Sampling(c.embedding_dim, c.draws, c.burn_in, c.implicit, c.noise_freedom)
        with one_thread(self.device.type == "cpu" and ratings.nnz * c.embedding_dim**2 < SMALL), torch.no_grad():
            self.posterior = sample(ratings, bounds, sampling, Noise(rng, self.device), progress)

    def score(self, user_index: IndexArray) -> Tensor:
        """Dot products, cosines or, for mse, predicted ratings [batch, num_items] float32."""
        return super().score(user_index) if self.posterior is None else self.posterior.score(user_index)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of the items [batch, m], for mse without those of other items."""
        if self.posterior is None:
            return super().score_pairs(user_index, item_index)
        return self.posterior.score_pairs(user_index, item_index)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users from their items; for mse from their ratings, the values."""
        return super().fold_in(history) if self.posterior is None else self.posterior.fold_in(history)

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """As `fold_in`, for mse from the ratings of the target behaviour."""
        if self.posterior is None:
            return super().fold_in_users(target, relations)
        return self.fold_in(rating_matrix(target))

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """As for every embedding model; None for mse, which needs the ratings, and a run does not keep them."""
        if self.posterior is not None:
            return HistoryAttribution(None, exact=False)
        return super().explain_history(history, user_index, item_index)

    def embeddings(self) -> Embeddings:
        """The vectors, whose dot products are the scores; for mse all draws in a row, without the mean rating."""
        if self.posterior is None:
            return super().embeddings()
        users, items = self.posterior.users.flatten(1), self.posterior.items.flatten(1)
        return Embeddings(users / self.posterior.users.shape[1], items)

    def state(self) -> State:
        """The vectors and what an item sends to a new user, or the draws, on the CPU."""
        return super().state() if self.posterior is None else self.posterior.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over vectors or draws."""
        if "span" in state:
            self.posterior = RatingPosterior.restored(state, self.config.noise_freedom, self.device)
        else:
            self.posterior = None
            super().restore(state)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[MFConfig]:  # noqa: ARG003  # the same for every graph
        """Softmax at a few temperatures, on which more depends than on the other settings."""
        return [MFConfig(temperature=temperature) for temperature in (0.2, 0.1, 0.15)]

    @classmethod
    def rating_candidates(cls, config: MFConfig) -> list[MFConfig]:
        """The configs worth trying on ratings, all other settings as in `config`."""
        first = replace(config, loss="mse", embedding_dim=RATING_DIM)
        return [first, replace(first, embedding_dim=2 * RATING_DIM), replace(first, implicit=False)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """What matters to a softmax; ratings have `rating_candidates`."""
        return {
            "temperature": Range(0.05, 0.4, log=True),
            "learning_rate": Range(1e-3, 3e-2, log=True),
            "weight_decay": Range(1e-7, 1e-3, log=True),
            "epochs": Range(5, 60, log=True),
        }


def rating_matrix(interactions: Interactions) -> sparse.csr_array:
    """The ratings [num_users, num_items] float32 of all pairs that were rated, a zero is one; several of one pair are
    averaged. Raises DataError if there are no ratings or one is not a number."""
    weight = interactions.weight
    if weight is None or not len(weight):
        raise DataError("mf: mse predicts ratings, but these interactions have none; choose softmax or bpr")
    missing = int(np.count_nonzero(~np.isfinite(weight)))
    if missing:
        raise DataError(f"mf: {missing:,} of {len(weight):,} interactions have no rating; leave them out")
    shape, where = (interactions.num_users, interactions.num_items), (interactions.user_index, interactions.item_index)
    total, count = (
        sparse.csr_array((values, where), shape=shape) for values in (weight.astype(np.float64), np.ones(len(weight)))
    )
    for matrix in (total, count):
        matrix.sum_duplicates()
    mean = (total.data / count.data).astype(np.float32)
    return sparse.csr_array((mean, total.indices, total.indptr), shape=shape)
