"""Item-based nearest neighbours: similarity of items by their common users."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.sparse import normalise_rows, scale, topk_gram
from graphrec.models.base import Range, Space
from graphrec.models.item_weights import RecentItemWeightsModel
from graphrec.models.recency import RecencyConfig, recency_space
from graphrec.progress import Progress

SIMILARITIES = ("cosine", "jaccard", "pearson")


@dataclass(frozen=True)
class ItemKNNConfig(RecencyConfig):
    """Settings of item_knn.

    neighbours: number of most similar items that each item keeps; 0 keeps all.
    shrinkage: h, constant added to the denominator, at least 0; similarities based on few users shrink towards zero.
    similarity: cosine, jaccard or pearson.
    asymmetry: a from 0 to 1, exponent of n_i of the history item in the cosine; n_j of the recommended item has 1 − a.
    damping: exponent that damps active users: user u has the weight d_u^-damping.
    normalise: whether the similarities of an item to its neighbours are divided by their sum.
    """

    neighbours: int = 200
    shrinkage: float = 10.0
    similarity: str = "cosine"
    asymmetry: float = 0.5
    damping: float = 0.0
    normalise: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.neighbours < 0 or self.shrinkage < 0:
            raise DataError("item_knn: neighbours and shrinkage must not be negative")
        if self.similarity not in SIMILARITIES:
            raise DataError(f"item_knn: similarity is one of {', '.join(SIMILARITIES)}, not {self.similarity!r}")
        if not 0 <= self.asymmetry <= 1:
            raise DataError("item_knn: asymmetry must be between 0 and 1")


class ItemKNN(RecentItemWeightsModel[ItemKNNConfig]):
    """score(u, j) = Σ_{i ∈ I_u} s_ij, with s_ij = 0 unless j is among the nearest neighbours of i; s_ii = 0.

    I_u are the items of user u, U_i the users of item i, d_u = |I_u|. With user weights w_u = d_u^-damping,
    n = Σ_u w_u, common weights c_ij = Σ_{u ∈ U_i ∩ U_j} w_u, n_i = c_ii and the shrinkage h, s_ij is

    - cosine: c_ij / (n_i^a n_j^(1−a) + h) (Sarwar et al., WWW 2001, a = ½; Aiolli, RecSys 2013, other a);
    - jaccard: c_ij / (n_i + n_j − c_ij + h);
    - pearson: (c_ij − n_i n_j / n) / (√(n_i (1 − n_i/n) n_j (1 − n_j/n)) + h) of the 0/1 columns, if positive.

    The shrinkage is that of Bell and Koren, 2007. Differs from these papers in the damping of active users.
    """

    config_class = ItemKNNConfig
    counts_co_users = True

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002  # every model has this signature
        progress: Progress | None = None,
    ) -> None:
        """Compute the similarities of all pairs of items that have common users."""
        pairs = self.read_history(graph, interactions)
        user_degree = np.maximum(np.diff(pairs.indptr), 1).astype(np.float64)
        user_weight = user_degree**-self.config.damping
        weighted = scale(pairs, rows=user_weight)
        size = np.asarray(weighted.sum(axis=0), dtype=np.float64)  # n_i
        total = float(user_weight.sum())

        def finish(rows: sparse.csr_array, start: int) -> None:
            item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            rows.data[:] = self._compute_similarity(rows.data, size[item], size[rows.indices], total)
            rows.data[item == rows.indices] = 0.0

        similarity = topk_gram(pairs, weighted, self.config.neighbours, finish)
        similarity.eliminate_zeros()
        self.weights = normalise_rows(similarity) if self.config.normalise else similarity
        if progress is not None:
            progress(1, 1)

    def _compute_similarity(
        self,
        common: npt.NDArray[np.float32],
        source: npt.NDArray[np.float64],
        target: npt.NDArray[np.float64],
        total: float,
    ) -> npt.NDArray[np.float64]:
        """Similarities s_ij [m] from c_ij (`common`), n_i (`source`) and n_j (`target`), each [m], and n (`total`)."""
        c = self.config
        if c.similarity == "jaccard":
            return common / (source + target - common + c.shrinkage)
        if c.similarity == "pearson":
            covariance = np.maximum(common - source * target / total, 0.0)
            deviation = np.sqrt(np.maximum(source * (1 - source / total) * target * (1 - target / total), 0.0))
            # the column of an item that all users have is constant
            return np.divide(covariance, deviation + c.shrinkage, out=np.zeros_like(covariance), where=deviation > 0)
        return common / (source**c.asymmetry * target ** (1 - c.asymmetry) + c.shrinkage)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[ItemKNNConfig]:  # noqa: ARG003  # the same for every graph
        """The default; then damped active users with other asymmetries, and fewer and more neighbours."""
        return [
            ItemKNNConfig(),
            *(ItemKNNConfig(400, 0.0, asymmetry=a, damping=0.7) for a in (0.7, 0.6, 0.8)),
            ItemKNNConfig(100, 0.0, asymmetry=0.7, damping=0.7),
            ItemKNNConfig(400, 5.0, asymmetry=0.6, damping=0.4),
            *(ItemKNNConfig(k, 0.0) for k in (50, 1000)),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """All settings."""
        return {
            "neighbours": (20, 50, 100, 200, 400, 800),
            "shrinkage": Range(0.0, 100.0),
            "similarity": SIMILARITIES,
            "asymmetry": Range(0.3, 1.0),
            "damping": Range(0.0, 1.0),
            "normalise": (False, True),
            **recency_space(graph),
        }
