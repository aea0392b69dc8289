"""EASE: a dense item-item matrix in closed form, computed in one buffer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray, Interactions
from graphrec.linalg.csr import State, csr_tensor
from graphrec.linalg.item_regression import (
    WOODBURY_RATIO,
    check_size,
    compute_coefficients,
    compute_gram,
    invert,
    singular_error,
)
from graphrec.linalg.woodbury import WoodburyInverse
from graphrec.models.base import Range, Space
from graphrec.models.recency import RecencyConfig, RecencyModel, recency_space
from graphrec.progress import Progress

#: Maximum number of items: the matrix of 25,000 items has 2.5 GB, and its inverse needs 10¹³ operations.
MAX_ITEMS = 25_000


@dataclass(frozen=True)
class EASEConfig(RecencyConfig):
    """Settings of ease.

    regularisation: λ, weight of the squared coefficients, above 0.
    dropout: p, share of each history that is dropped at random, at least 0 and below 1; in closed form it adds p /
        (1 − p) times the number of an item's users to λ, which regularises popular items more.
    """

    regularisation: float = 100.0
    dropout: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.regularisation <= 0:
            raise DataError("ease: regularisation must be above 0")
        if not 0 <= self.dropout < 1:
            raise DataError("ease: dropout must be at least 0 and below 1")


class EASE(RecencyModel[EASEConfig]):
    """score(u, ·) = r_u B with B = I − P diag(P)⁻¹, P = (RᵀR + Λ)⁻¹ and Λ = λ I + p/(1 − p) diag(RᵀR).

    R [num_users, num_items] is the 0/1 interaction matrix, r_u its row of user u, I the identity, λ the regularisation
    and p the dropout; B [num_items, num_items] has a zero diagonal.

    Steck, WWW 2019, equation 8 (p = 0), and its extension EDLAE (Steck, NeurIPS 2020) at full rank. Differs in memory:
    Gram matrix RᵀR, Cholesky factor, inverse and B share one float32 buffer [num_items, num_items]. If users are fewer
    than half the items, the Woodbury identity replaces it by matrices [num_users, num_items].
    """

    config_class = EASEConfig
    has_signed_scores = True

    def __init__(self, config: EASEConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.weights = torch.empty(0, 0, device=self.device)  # B [num_items, num_items]; empty if `woodbury` is set
        self.woodbury: WoodburyInverse | None = None

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002  # every model has this signature
        progress: Progress | None = None,
    ) -> None:
        """Invert the regularised Gram matrix. Raises DataError if there are too many items and users for that."""
        self.weights, self.woodbury = torch.empty(0, 0), None  # frees the memory of an earlier fit
        pairs = self.read_history(graph, interactions)
        c = self.config
        users = int((np.diff(pairs.indptr) > 0).sum())
        if WOODBURY_RATIO * users < interactions.num_items and users * interactions.num_items <= MAX_ITEMS**2:
            degree = np.bincount(pairs.indices, minlength=interactions.num_items)
            penalty = (c.regularisation + c.dropout / (1 - c.dropout) * degree).astype(np.float32)
            rows = pairs[np.diff(pairs.indptr) > 0]
            self.woodbury = WoodburyInverse.of(rows, penalty, self.device)
            return
        check_size("ease", interactions.num_items, MAX_ITEMS)
        buffer = compute_gram(pairs)
        diagonal = buffer.diagonal()
        buffer.flat[:: len(buffer) + 1] += c.regularisation + c.dropout / (1 - c.dropout) * diagonal
        if progress is not None:
            progress(1, 3)
        inverse = self._invert(buffer, progress)
        self.weights = torch.from_numpy(compute_coefficients(inverse)).to(self.device)
        if progress is not None:
            progress(3, 3)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Sums of coefficients [batch, num_items] float32 for histories [batch, num_items], exactly as in training."""
        if self.woodbury is not None:
            return self.woodbury.score(history)
        return csr_tensor(history).to(self.device) @ self.weights

    def state(self) -> State:
        """The coefficients or the factors of the Woodbury identity, and the histories."""
        woodbury = {} if self.woodbury is None else self.woodbury.state()
        return {"weights": self.weights.cpu(), **woodbury, **super().state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore coefficients and histories."""
        self.weights = state["weights"].to(self.device)
        self.woodbury = WoodburyInverse.from_state(state, self.device) if "factor" in state else None
        super().restore(state)

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
    def space(cls, graph: HeteroGraph) -> Space:
        """All settings."""
        ranges = {"regularisation": Range(1.0, 3000.0, log=True), "dropout": Range(0.0, 0.95)}
        return {**ranges, **recency_space(graph)}

    def _invert(self, buffer: FloatArray, progress: Progress | None) -> FloatArray:
        advice = f"ease needs a regularisation above {self.config.regularisation:g} here"
        if self.device.type != "cpu":
            factor, failed = torch.linalg.cholesky_ex(torch.from_numpy(buffer).to(self.device))
            if not int(failed):
                inverse: FloatArray = torch.cholesky_inverse(factor).cpu().numpy()
                return inverse
            raise singular_error(int(failed), advice)
        return invert(buffer, advice, None if progress is None else lambda: progress(2, 3))
