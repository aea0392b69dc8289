"""User-based nearest neighbours: items of users with similar histories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, append_row, empty_csr, pack, unpack
from graphrec.linalg.sparse import dense, scale, topk_gram
from graphrec.models.attribution import HistoryAttribution
from graphrec.models.base import Range, Space
from graphrec.models.recency import RecencyConfig, RecencyModel, recency_space
from graphrec.progress import Progress
from graphrec.relations import Relations
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class UserKNNConfig(RecencyConfig):
    """Settings of user_knn.

    neighbours: number of most similar users of each user, including the user; 0 takes all.
    damping: exponent that damps popular items in the similarity: item i has the weight d_i^-damping.
    asymmetry: a from 0 to 1, exponent of n_v of the similar user in the cosine; n_u of the user has 1 − a, which does
        not change the user's ranking.
    amplification: ρ, exponent of the similarities, above 0; the larger it is, the more weight the nearest users have.
    popularity_damping: q, exponent that damps popular items in the scores, which are multiplied by d_i^-q.
    """

    neighbours: int = 300
    damping: float = 0.5
    asymmetry: float = 0.5
    amplification: float = 2.5
    popularity_damping: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.neighbours < 0:
            raise DataError("user_knn: neighbours must not be negative")
        if not 0 <= self.asymmetry <= 1:
            raise DataError("user_knn: asymmetry must be between 0 and 1")
        if self.amplification <= 0:
            raise DataError("user_knn: amplification must be above 0")


class UserKNN(RecencyModel[UserKNNConfig]):
    """score(u, i) = d_i^-q Σ_v s_uv^ρ R_vi over the users v most similar to u, including u.

    R is the 0/1 interaction matrix, I_u the items of user u, d_i the number of users of item i. With item weights
    w_i = d_i^-damping and n_u = Σ_{i ∈ I_u} w_i, the similarity is s_uv = Σ_{i ∈ I_u ∩ I_v} w_i / (n_u^(1−a) n_v^a).

    For a = ½ this is the cosine of weighted histories (other a: Aiolli, RecSys 2013); ρ is the case amplification of
    Breese et al., UAI 1998. Differs from them in that u is its own neighbour: this changes only the scores of items of
    the user's history, and fold-in gives a new user exactly the scores of a user in training with the same history.
    """

    config_class = UserKNNConfig
    counts_co_users = True

    def __init__(self, config: UserKNNConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.pairs = empty_csr()  # R [num_users, num_items]
        self.similar = empty_csr()  # s^ρ, [num_users, num_users]

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002  # every model has this signature
        progress: Progress | None = None,
    ) -> None:
        """Find the nearest users of each user."""
        self.pairs = self.read_history(graph, interactions)
        self.similar = self._find_similar_users(self.history)
        if progress is not None:
            progress(1, 1)

    def score(self, user_index: IndexArray) -> Tensor:
        """Sums of similarities [batch, num_items] float32."""
        return self.revisit(self._sum_similarities(self.similar[user_index]), user_index)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Sums of similarities [batch, num_items] float32 for histories [batch, num_items], exactly as in training."""
        return self._sum_similarities(self._find_similar_users(history))

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The model with one more user, and the users in training who are most similar to this one."""
        extended = super().with_user(target, relations)
        extended.similar = append_row(self.similar, self._find_similar_users(extended.history[[-1]]))
        return extended

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The exact contribution of each item of the history, over all similar users."""
        amounts = self.explain_co_users(user_index, item_index).sum(axis=0)
        return HistoryAttribution(np.asarray(amounts, dtype=np.float64)[history.indices], exact=True)

    def explain_co_users(self, user_index: int, item_index: int) -> sparse.csr_array:
        """The contribution of each similar user who has the item through each common item, [num_users, num_items].

        A similarity is a sum over the common items; its power ρ is divided among them in proportion to their terms.
        """
        similar = self.similar[[user_index]]
        common = scale(self.pairs[similar.indices], columns=self._item_weights(self.config.damping))
        common = sparse.csr_array(common.multiply(self.history[[user_index]]))
        total = np.asarray(common.sum(axis=1), dtype=np.float64)
        has_item = self.pairs[similar.indices][:, [item_index]].toarray().ravel()
        amount = similar.data * has_item * float(self._item_weights(self.config.popularity_damping)[item_index])
        amount *= self.revisit_factor(user_index, item_index)
        factor = np.divide(amount, total, out=np.zeros_like(total), where=total > 0)
        contributions = sparse.csr_array(scale(common, rows=factor))
        contributions.eliminate_zeros()
        entries = contributions.tocoo()
        users = similar.indices[entries.coords[0]]
        return sparse.csr_array((entries.data, (users, entries.coords[1])), shape=self.pairs.shape)

    def _find_similar_users(self, history: sparse.csr_array) -> sparse.csr_array:
        """s^ρ [rows, num_users] between histories [rows, num_items] and the most similar users in training."""
        c = self.config
        weight = self._item_weights(c.damping)
        sizes = [np.asarray(scale(m, columns=weight).sum(axis=1), dtype=np.float64) for m in (history, self.pairs)]
        user_factor, other_factor = (
            np.where(size > 0, np.where(size > 0, size, 1.0) ** -power, 0.0)
            for size, power in zip(sizes, (1 - c.asymmetry, c.asymmetry), strict=True)
        )
        left = scale(history, rows=user_factor, columns=weight)
        right = scale(self.pairs, rows=other_factor)
        similar = topk_gram(left.T.tocsr(), right.T.tocsr(), c.neighbours)
        similar.data **= np.float32(c.amplification)
        return similar

    def _sum_similarities(self, similar: sparse.csr_array) -> Tensor:
        """Σ_v s_uv^ρ R_vi d_i^-q for similarities [rows, num_users], [rows, num_items]."""
        sums = dense((similar @ self.pairs).tocsr())
        if self.config.popularity_damping:
            sums *= torch.from_numpy(self._item_weights(self.config.popularity_damping).astype(np.float32))
        return sums.to(self.device)

    def _item_weights(self, power: float) -> npt.NDArray[np.float64]:
        """d_i^-power of each item in training, [num_items]."""
        degree = np.bincount(self.pairs.indices, minlength=self.pairs.shape[1])
        return np.maximum(degree, 1).astype(np.float64) ** -power

    def state(self) -> State:
        """The similarities and the training histories."""
        return pack("similar", self.similar) | super().state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore similarities and histories."""
        super().restore(state)
        self.similar, self.pairs = unpack("similar", state), self.history.copy()
        self.pairs.data[:] = 1.0

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[UserKNNConfig]:  # noqa: ARG003  # the same for every graph
        """The default; then fewer and more neighbours, lower amplification, and damped popular items."""
        return [
            UserKNNConfig(),
            UserKNNConfig(neighbours=100),
            UserKNNConfig(neighbours=1000),
            UserKNNConfig(amplification=1.5, popularity_damping=0.1),
            UserKNNConfig(amplification=1.5, popularity_damping=0.2),
            UserKNNConfig(amplification=1.0),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """All settings."""
        return {
            "neighbours": (30, 100, 300, 1000),
            "damping": Range(0.0, 1.0),
            "asymmetry": Range(0.2, 0.8),
            "amplification": Range(0.5, 4.0),
            "popularity_damping": Range(0.0, 0.5),
            **recency_space(graph),
        }
