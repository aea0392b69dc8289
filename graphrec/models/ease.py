"""EASE: a dense item-item matrix in closed form, computed in one buffer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from scipy.linalg import lapack
from torch import Tensor

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State, csr_tensor, empty_csr, pack, unpack
from graphrec.linalg.woodbury import WoodburyInverse
from graphrec.models.attribution import HistoryAttribution, score_single_items
from graphrec.models.base import Model, Range, Space
from graphrec.progress import Progress
from graphrec.vocabulary import IndexArray

#: Maximum number of items: the matrix of 25,000 items has 2.5 GB, and its inverse needs 10¹³ operations.
MAX_ITEMS = 25_000

#: Ratio of items to users above which the Woodbury identity is used; it needs less memory and far fewer operations.
WOODBURY_RATIO = 2

#: Block size in rows of intermediate results.
BLOCK = 512

Gram = TypeVar("Gram", bound=npt.NDArray[Any])


@dataclass(frozen=True)
class EASEConfig:
    """Settings of ease.

    regularisation: λ, weight of the squared coefficients, above 0.
    dropout: p, share of each history that is dropped at random, at least 0 and below 1; in closed form it adds p /
        (1 − p) times the number of an item's users to λ, which regularises popular items more.
    """

    regularisation: float = 100.0
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.regularisation <= 0:
            raise DataError("ease: regularisation must be above 0")
        if not 0 <= self.dropout < 1:
            raise DataError("ease: dropout must be at least 0 and below 1")


class EASE(Model[EASEConfig]):
    """score(u, ·) = r_u B with B = I − P diag(P)⁻¹, P = (RᵀR + Λ)⁻¹ and Λ = λ I + p/(1 − p) diag(RᵀR).

    R [num_users, num_items] is the 0/1 interaction matrix, r_u its row of user u, I the identity, λ the regularisation
    and p the dropout; B [num_items, num_items] has a zero diagonal.

    Steck, WWW 2019, equation 8 (p = 0), and its extension EDLAE (Steck, NeurIPS 2020) at full rank. Differs in memory:
    Gram matrix RᵀR, Cholesky factor, inverse and B share one float32 buffer [num_items, num_items]. If users are fewer
    than half the items, the Woodbury identity replaces it by matrices [num_users, num_items].
    """

    config_class = EASEConfig
    has_signed_scores: ClassVar[bool] = True

    def __init__(self, config: EASEConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.weights = torch.empty(0, 0, device=self.device)  # B [num_items, num_items]; empty if `woodbury` is set
        self.woodbury: WoodburyInverse | None = None
        self.history = empty_csr()  # [num_users, num_items]

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Invert the regularised Gram matrix. Raises DataError if there are too many items and users for that."""
        self.weights, self.woodbury = torch.empty(0, 0), None  # frees the memory of an earlier fit
        self.history = interactions.matrix()
        c = self.config
        users = int((np.diff(self.history.indptr) > 0).sum())
        if WOODBURY_RATIO * users < interactions.num_items and users * interactions.num_items <= MAX_ITEMS**2:
            degree = np.bincount(self.history.indices, minlength=interactions.num_items)
            penalty = (c.regularisation + c.dropout / (1 - c.dropout) * degree).astype(np.float32)
            rows = self.history[np.diff(self.history.indptr) > 0]
            self.woodbury = WoodburyInverse.of(rows, penalty, self.device)
            return
        check_size("ease", interactions.num_items, MAX_ITEMS)
        buffer = compute_gram(self.history)
        diagonal = buffer.diagonal()
        buffer.flat[:: len(buffer) + 1] += c.regularisation + c.dropout / (1 - c.dropout) * diagonal
        if progress is not None:
            progress(1, 3)
        inverse = self._invert(buffer, progress)
        self.weights = torch.from_numpy(_compute_coefficients(inverse)).to(self.device)
        if progress is not None:
            progress(3, 3)

    def score(self, user_index: IndexArray) -> Tensor:
        """Sums of coefficients r_u B [batch, num_items] float32."""
        return self.fold_in(self.history[user_index])

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Sums of coefficients [batch, num_items] float32 for histories [batch, num_items], exactly as in training."""
        if self.woodbury is not None:
            return self.woodbury.score(history)
        return csr_tensor(history).to(self.device) @ self.weights

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:  # noqa: ARG002
        """The coefficient of each item of the history, which is its exact contribution."""
        return HistoryAttribution(score_single_items(self.fold_in, history, item_index), exact=True)

    def state(self) -> State:
        """The coefficients or the factors of the Woodbury identity, and the training histories."""
        woodbury = {} if self.woodbury is None else self.woodbury.state()
        return {"weights": self.weights.cpu(), **woodbury, **pack("history", self.history)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore coefficients and histories."""
        self.weights = state["weights"].to(self.device)
        self.woodbury = WoodburyInverse.from_state(state, self.device) if "factor" in state else None
        self.history = unpack("history", state)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[EASEConfig]:  # noqa: ARG003  # the same for every graph
        """Low to high regularisation and dropout; dropout 0 is the EASE of the paper."""
        return [
            EASEConfig(),
            EASEConfig(100.0, dropout=0.8),
            EASEConfig(30.0, dropout=0.9),
            EASEConfig(100.0, dropout=0.0),
            EASEConfig(400.0, dropout=0.0),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """Both settings."""
        return {"regularisation": Range(1.0, 3000.0, log=True), "dropout": Range(0.0, 0.95)}

    def _invert(self, buffer: FloatArray, progress: Progress | None) -> FloatArray:
        if self.device.type != "cpu":
            factor, failed = torch.linalg.cholesky_ex(torch.from_numpy(buffer).to(self.device))
            if not int(failed):
                inverse: FloatArray = torch.cholesky_inverse(factor).cpu().numpy()
                return inverse
            raise _singular_error(int(failed), self.config.regularisation)
        return invert(buffer, self.config.regularisation, progress)


def check_size(model: str, num_items: int, max_items: int, item_size: int = 4) -> None:
    """Raise DataError if a dense matrix [num_items, num_items] would need too much memory and time."""
    if num_items > max_items:
        raise DataError(
            f"{model} needs a dense matrix of items × items, {num_items:,} × {num_items:,} "
            f"({item_size * num_items**2 / 1e9:.1f} GB) here, and takes at most {max_items:,} items; "
            "use graph_filter or ials, which need no such matrix"
        )


def compute_gram(history: sparse.csr_array) -> FloatArray:
    """The Gram matrix RᵀR [num_items, num_items] float32 of an interaction matrix R [num_users, num_items]."""
    return fill_gram(history, np.empty((history.shape[1], history.shape[1]), dtype=np.float32))


def fill_gram(history: sparse.csr_array, buffer: Gram) -> Gram:
    """The buffer [num_items, num_items] filled with RᵀR, block by block; its dtype must be able to hold the entries."""
    rows = sparse.csr_array(history.astype(buffer.dtype))
    by_item = rows.T.tocsr()
    for start in range(0, rows.shape[1], BLOCK):
        (by_item[start : start + BLOCK] @ rows).toarray(out=buffer[start : start + BLOCK])
    return buffer


def invert(buffer: FloatArray, regularisation: float, progress: Progress | None = None) -> FloatArray:
    """The inverse of a symmetric positive definite matrix, computed in place (LAPACK potrf, then potri).

    Raises GraphrecError if the matrix is singular in float32.
    """
    # LAPACK needs Fortran order, which the transpose of a C-ordered matrix has without a copy; the matrix is symmetric
    factor, failed = lapack.spotrf(buffer.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise _singular_error(failed, regularisation)
    if progress is not None:
        progress(2, 3)
    inverse, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise _singular_error(failed, regularisation)
    return _mirror(inverse.T)


def _singular_error(row: int, regularisation: float) -> GraphrecError:
    return GraphrecError(
        f"ease: with a regularisation of {regularisation:g} the matrix cannot be inverted (item {row} depends on "
        "others); use a larger one"
    )


def _mirror(upper: FloatArray) -> FloatArray:
    """The matrix after copying its upper triangle to the lower one, in place and block by block."""
    for start in range(0, len(upper), BLOCK):
        end = start + BLOCK
        corner = upper[start:end, start:end]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        for column in range(end, len(upper), BLOCK):
            upper[column : column + BLOCK, start:end] = upper[start:end, column : column + BLOCK].T
    return upper


def _compute_coefficients(inverse: FloatArray) -> npt.NDArray[np.float32]:
    """B [num_items, num_items] = I − P diag(P)⁻¹, in place."""
    diagonal = inverse.diagonal().copy()
    for start in range(0, len(inverse), BLOCK):
        inverse[start : start + BLOCK] /= -diagonal
    np.fill_diagonal(inverse, 0.0)
    return inverse
