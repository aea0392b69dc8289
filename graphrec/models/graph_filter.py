"""The flagship: a closed-form filter of the user-item graph, a plateau on its spectrum plus its strongest paths."""

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
from graphrec.interactions import FloatArray, Interactions
from graphrec.models.base import Embeddings, Model, Progress, State, csr_tensor, empty_csr, pack, unpack
from graphrec.models.neighbours import add_sparse, item_product
from graphrec.models.spectrum import spectrum
from graphrec.vocabulary import IndexArray

#: From this many entries of the item vectors on, candidates are found in bfloat16 (twice as fast) and rescored.
SCREEN_FROM = 1 << 22


@dataclass(frozen=True)
class GraphFilterConfig:
    """Settings of graph_filter, in the letters of METHODS E-F.

    user_exponent: b, how much the edges of active users are damped.
    item_exponent: e, how much the edges of popular items are damped.
    source_exponent: p, how much popular items of the history are damped.
    target_exponent: q, how much popular items are favoured as recommendations.
    rank: k, leading eigenvectors that are used; 0 leaves the paths only.
    rank_share: the rank is at most this share of the number of users or of items, whichever is smaller.
    plateau: α, the response to an eigenvalue λ in [0, 1] is max(α − λ, 0).
    path_weight: w, the weight of the item-user-item paths.
    neighbours: how many items each item reaches by paths, the strongest; 0 keeps all.
    """

    user_exponent: float = 0.35
    item_exponent: float = 0.5
    source_exponent: float = 0.5
    target_exponent: float = 0.5
    rank: int = 768
    rank_share: float = 0.125
    plateau: float = 1.2
    path_weight: float = 2.0
    neighbours: int = 100

    def __post_init__(self) -> None:
        if self.rank < 0 or self.neighbours < 0 or not 0 <= self.rank_share <= 1:
            raise DataError("graph_filter: rank and neighbours must not be negative, rank_share lies between 0 and 1")


class GraphFilter(Model[GraphFilterConfig]):
    """score(u, ·) = r_u D^{-p} [ w NᵀN/σ₁² + V g(λ) Vᵀ ] D^{q} with N = D_U^{-b} R D_I^{-e}, λ = (σ/σ₁)².

    R is the 0/1 matrix of the target behaviour, D = D_I the item degrees, V the leading right singular vectors of N.
    With b = e = p = q = ½, a constant g and w = 1 this is GF-CF (Shen et al., CIKM 2021); with rank 0 it is RP3β
    (Paudel et al., 2017: α = 2b = e + p, β = e − q) and LinkProp (Fu et al., WWW 2022). Differs from them in the user
    exponent b, a response that damps the strongest eigenvalues, and paths cut to the strongest of each item.
    """

    config_class = GraphFilterConfig

    def __init__(self, config: GraphFilterConfig) -> None:
        super().__init__(config)
        self.history = empty_csr()  # [num_users, num_items]
        self.paths = empty_csr()  # NᵀN D^q / σ₁² [num_items, num_items], cut
        self.degree: FloatArray = np.empty(0, dtype=np.float32)  # [num_items], at least 1
        self.strongest = 1.0  # σ₁²
        self.vectors = torch.empty(0, 0)  # D^q V [num_items, k]
        self.eigenvalues = torch.empty(0)  # λ [k]
        self._rough: Tensor | None = None  # the vectors in bfloat16

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # this version reads the target behaviour alone
        interactions: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        """Decompose the normalised matrix and collect the strongest paths of each item."""
        c = self.config
        self.history = interactions.matrix()
        degree = np.bincount(self.history.indices, minlength=interactions.num_items)
        self.degree = np.maximum(degree, 1).astype(np.float32)  # a degree of zero must not divide
        normalised = normalise(self.history, self.degree, c.user_exponent, c.item_exponent)
        rank = min(c.rank, int(c.rank_share * min(normalised.shape)) or 1)
        vectors, squares = spectrum(normalised, max(rank, 1), rng)
        self.strongest = float(squares[0]) if len(squares) else 1.0
        if progress is not None:
            progress(1, 2)
        self.paths = self._collect_paths()
        favour = torch.from_numpy(self.degree**c.target_exponent)[:, None]
        keep = min(rank, len(squares))
        self._set_spectrum(vectors[:, :keep] * favour, squares[:keep] / self.strongest)
        if progress is not None:
            progress(2, 2)

    def score(self, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] float32."""
        return self.fold_in(self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 for any histories, exactly as for users in training."""
        damped = self._damped(history)
        scores = self._filtered(history) @ self.vectors.T
        return add_sparse(scores, (damped @ self.paths).tocsr(), self.config.path_weight)

    def screen(self, user_index: IndexArray) -> Tensor | None:
        """Scores with the dense product in bfloat16, for large catalogues on processors that multiply it fast."""
        if self._rough is None:
            return None
        history = self.history[user_index]
        scores = (self._filtered(history).bfloat16() @ self._rough.T).float()
        return add_sparse(scores, (self._damped(history) @ self.paths).tocsr(), self.config.path_weight)

    def score_pairs(self, user_index: IndexArray, item_index: IndexArray) -> Tensor:
        """Scores [batch, m] float32 of m items for each user, as in `score` up to the order of additions."""
        history = self.history[user_index]
        batch, m = item_index.shape
        filtered = torch.zeros(batch, m)
        if self.vectors.shape[1]:  # torch.sparse refuses factors without columns
            indptr = torch.arange(0, batch * m + 1, m, dtype=torch.int32)
            columns = torch.from_numpy(item_index.ravel().astype(np.int32))
            shape = (batch, len(self.degree))
            zeros = torch.zeros(batch * m)
            wanted = torch.sparse_csr_tensor(indptr, columns, zeros, size=shape, check_invariants=False)
            sampled = torch.sparse.sampled_addmm(wanted, self._filtered(history), self.vectors.T, beta=0.0)
            filtered = sampled.values().view(batch, m)
        reached = (self._damped(history) @ self.paths).tocsr()
        reached.sort_indices()
        walked = np.asarray(reached[np.repeat(np.arange(batch), m), item_index.ravel()], dtype=np.float32)
        return filtered + self.config.path_weight * torch.from_numpy(walked.reshape(batch, m))

    def embeddings(self) -> Embeddings:
        """Users r D^{-p} V g(λ) [num_users, k] and items D^q V [num_items, k]: their products are the filter's part
        of the score, without the paths."""
        return Embeddings(self._filtered(self.history), self.vectors)

    def contributions(self, user_index: int, item_index: int) -> tuple[IndexArray, npt.NDArray[np.float64]]:
        """The items of a user's history [n] and what each adds [n] to the score of an item; the sum is the score."""
        history = self.history[[user_index]]
        items = history.indices.astype(np.int64)
        damping = history.data * self.degree[items] ** -self.config.source_exponent
        back = self.degree[items] ** -self.config.target_exponent  # `vectors` hold D^q V
        target = self.vectors[item_index].double() * self._response()
        filtered = (self.vectors[torch.from_numpy(items)].double() @ target).numpy() * back
        walked = self.paths[items][:, [item_index]].toarray().ravel().astype(np.float64)
        return items, damping * (filtered + self.config.path_weight * walked)

    def state(self) -> State:
        """The item vectors, eigenvalues, degrees, paths and histories."""
        return {
            "vectors": self.vectors,
            "eigenvalues": self.eigenvalues,
            "degree": torch.from_numpy(self.degree),
            "strongest": torch.tensor(self.strongest, dtype=torch.float64),
            **pack("paths", self.paths),
            **pack("history", self.history),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over vectors, eigenvalues, degrees, paths and histories."""
        self.degree, self.strongest = state["degree"].numpy(), float(state["strongest"])
        self.paths, self.history = unpack("paths", state), unpack("history", state)
        self._set_spectrum(state["vectors"], state["eigenvalues"])

    def variant(self, config: GraphFilterConfig) -> Self | None:
        """This model with other settings that leave its decomposition as it is (b and e alike, no larger rank)."""
        mine = self.config
        if (config.user_exponent, config.item_exponent, config.rank_share) != (
            mine.user_exponent,
            mine.item_exponent,
            mine.rank_share,
        ) or config.rank > mine.rank:
            return None
        other = type(self)(config)
        other.history, other.degree, other.strongest = self.history, self.degree, self.strongest
        same_paths = (config.target_exponent, config.neighbours) == (mine.target_exponent, mine.neighbours)
        other.paths = self.paths if same_paths else other._collect_paths()
        refavour = torch.from_numpy(self.degree ** (config.target_exponent - mine.target_exponent))[:, None]
        vectors = self.vectors[:, : config.rank]
        other._set_spectrum((vectors * refavour).contiguous(), self.eigenvalues[: config.rank])
        return other

    @classmethod
    def candidates(cls) -> list[GraphFilterConfig]:
        """The symmetric family by user exponent and rank, then freer exponents, some of them RP3β's with paths alone.

        Those that share a decomposition follow each other, the largest rank first.
        """
        return [
            GraphFilterConfig(),
            GraphFilterConfig(rank=256),
            GraphFilterConfig(rank=64),
            GraphFilterConfig(rank=64, path_weight=8.0),
            GraphFilterConfig(0.35, 0.5, 0.2, 0.1),
            GraphFilterConfig(0.35, 0.5, 0.2, 0.1, rank=256, path_weight=8.0),
            *(GraphFilterConfig(0.35, 0.5, 0.2, q, rank=0, neighbours=400) for q in (0.1, 0.3)),
            *(GraphFilterConfig(0.5, rank=rank) for rank in (768, 256, 64)),
            GraphFilterConfig(0.5, 0.5, 0.5, 0.3, rank=0, neighbours=400),
            *(GraphFilterConfig(0.2, 0.5, -0.1, q, rank=0, neighbours=400) for q in (0.3, 0.1, -0.1)),
        ]

    @classmethod
    def trusts(cls, config: GraphFilterConfig) -> bool:
        """Whether the item side is symmetric: a random hold-out misjudges other item exponents (METHODS E-F)."""
        return config.item_exponent == config.source_exponent == config.target_exponent

    def _collect_paths(self) -> sparse.csr_array:
        """NᵀN D^q / σ₁² [num_items, num_items], each row cut to its strongest entries."""
        c = self.config
        normalised = normalise(self.history, self.degree, c.user_exponent, c.item_exponent)
        target = _scaled(normalised, self.degree**c.target_exponent / self.strongest)
        return item_product(normalised, target, c.neighbours)

    def _damped(self, history: sparse.csr_array) -> sparse.csr_array:
        return _scaled(history, self.degree**-self.config.source_exponent)

    def _filtered(self, history: sparse.csr_array) -> Tensor:
        """r D^{-p} V g(λ) [batch, k]; the q in the exponent takes D^q out of `vectors` again."""
        c = self.config
        rows = csr_tensor(_scaled(history, self.degree ** -(c.source_exponent + c.target_exponent)))
        if not self.vectors.shape[1]:  # torch.sparse refuses factors without columns
            return torch.zeros(rows.shape[0], 0)
        return (rows @ self.vectors) * self._response().float()

    def _response(self) -> Tensor:
        return (self.config.plateau - self.eigenvalues.double()).clamp(min=0)

    def _set_spectrum(self, vectors: Tensor, eigenvalues: Tensor) -> None:
        self.vectors, self.eigenvalues = vectors, eigenvalues
        large = vectors.numel() >= SCREEN_FROM and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self._rough = vectors.bfloat16() if large else None


def normalise(
    matrix: sparse.csr_array, item_degree: FloatArray, user_exponent: float, item_exponent: float
) -> sparse.csr_array:
    """N = D_U^{-b} R D_I^{-e} [num_users, num_items] float32; a degree of zero counts as one."""
    user_degree = np.maximum(np.diff(matrix.indptr), 1).astype(np.float32)
    scaled = _scaled(matrix, item_degree**-item_exponent)
    scaled.data *= np.repeat(user_degree**-user_exponent, np.diff(matrix.indptr)).astype(np.float32)
    return scaled


def _scaled(matrix: sparse.csr_array, column_factor: npt.NDArray[np.floating]) -> sparse.csr_array:
    data = (matrix.data * column_factor[matrix.indices]).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
