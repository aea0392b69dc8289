"""Items like the ones a user chose, by cosine similarity of their users."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import Model, Progress, State, empty_csr, pack, unpack
from graphrec.models.neighbours import dense, item_product
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class ItemKNNConfig:
    """Settings of item_knn.

    neighbours: how many similar items each item keeps; 0 keeps all.
    shrinkage: pulls similarities towards zero that rest on few common users.
    """

    neighbours: int = 200
    shrinkage: float = 10.0

    def __post_init__(self) -> None:
        if self.neighbours < 0 or self.shrinkage < 0:
            raise DataError("item_knn: neighbours and shrinkage must not be negative")


class ItemKNN(Model[ItemKNNConfig]):
    """score(u, j) = Σ_{i in history} |U_i ∩ U_j| / (√(d_i d_j) + shrinkage) over the nearest neighbours j of i.

    Sarwar et al., WWW 2001, with the shrinkage of Bell and Koren, 2007; an item is no neighbour of its own.
    """

    config_class = ItemKNNConfig

    def __init__(self, config: ItemKNNConfig) -> None:
        super().__init__(config)
        self.similarity = empty_csr()  # [num_items, num_items]
        self.history = empty_csr()  # [num_users, num_items]

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Compute the similarities of all items with common users."""
        self.history = interactions.matrix()
        root = np.sqrt(np.bincount(self.history.indices, minlength=interactions.num_items)).astype(np.float32)

        def finish(rows: sparse.csr_array, start: int) -> None:
            item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            rows.data /= root[item] * root[rows.indices] + np.float32(self.config.shrinkage)
            rows.data[item == rows.indices] = 0.0

        self.similarity = item_product(self.history, self.history, self.config.neighbours, finish)
        self.similarity.eliminate_zeros()
        if progress is not None:
            progress(1, 1)

    def score(self, user_index: IndexArray) -> Tensor:
        """Sums of similarities [batch, num_items] float32."""
        return self.fold_in(self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Sums of similarities [batch, num_items] float32 for any histories, exactly as for users in training."""
        return dense((history @ self.similarity).tocsr())

    def state(self) -> State:
        """The similarities and the histories."""
        return pack("similarity", self.similarity) | pack("history", self.history)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over similarities and histories."""
        self.similarity = unpack("similarity", state)
        self.history = unpack("history", state)

    @classmethod
    def candidates(cls) -> list[ItemKNNConfig]:
        """Few or many neighbours, little or much shrinkage."""
        return [ItemKNNConfig(k, shrinkage) for k in (200, 50, 1000) for shrinkage in (10.0, 0.0, 100.0)]
