"""RP3β: random walks of three steps, user to item to user to item, with damped popular items."""

from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.sparse import normalise_rows, scale, topk_gram, zero_diagonal
from graphrec.models.base import Range, Space
from graphrec.models.item_weights import RecentItemWeightsModel
from graphrec.models.recency import RecencyConfig, recency_space
from graphrec.progress import Progress


@dataclass(frozen=True)
class RP3BetaConfig(RecencyConfig):
    """Settings of rp3beta, in the symbols of docs/methods.md.

    alpha: α, exponent of the transition probabilities.
    beta: β, exponent that damps popular items.
    neighbours: number of largest entries that each row of W keeps; 0 keeps all.
    normalise: whether each row of W is divided by its sum.
    """

    alpha: float = 0.6
    beta: float = 0.4
    neighbours: int = 400
    normalise: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.neighbours < 0:
            raise DataError("rp3beta: neighbours must not be negative")


class RP3Beta(RecentItemWeightsModel[RP3BetaConfig]):
    """score(u, ·) = r_u W with W = (P_IU^∘α P_UI^∘α) D_I^-β (RP3β: Paudel et al., TiiS 2017).

    R [num_users, num_items] is the 0/1 interaction matrix, r_u its row of user u, D_U and D_I the diagonal matrices of
    user and item degrees, M^∘α the entrywise power. P_IU = D_I⁻¹ Rᵀ are the transition probabilities from an item to
    its users, P_UI = D_U⁻¹ R those from a user to the user's items.

    Differs from the paper: the first step, from the user, is left out, as it divides all scores of a user by the same
    number; the diagonal of W is zero; each row is cut to its `neighbours` largest entries and optionally normalised, as
    in the evaluation framework of Ferrari Dacrema et al., TOIS 2021.
    """

    config_class = RP3BetaConfig
    counts_co_users = True

    def fit(
        self,
        graph: HeteroGraph,
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002  # every model has this signature
        progress: Progress | None = None,
    ) -> None:
        """Multiply the two steps and keep the largest entries of each row."""
        c = self.config
        pairs = self.read_history(graph, interactions)
        item_degree, user_degree = (
            np.maximum(degree, 1).astype(np.float64)  # avoids division by zero
            for degree in (np.diff(pairs.tocsc().indptr), np.diff(pairs.indptr))
        )
        to_user = scale(pairs, columns=item_degree**-c.alpha)  # (P_IU^∘α)ᵀ
        to_item = scale(pairs, rows=user_degree**-c.alpha, columns=item_degree**-c.beta)  # P_UI^∘α D_I^-β
        walks = topk_gram(to_user, to_item, c.neighbours, zero_diagonal)
        self.weights = normalise_rows(walks) if c.normalise else walks
        if progress is not None:
            progress(1, 1)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[RP3BetaConfig]:  # noqa: ARG003  # the same for every graph
        """Exponents that were best in published searches (docs/methods.md)."""
        pairs = ((0.8, 0.2), (0.7, 0.3), (0.4, 0.6), (0.4, 0.4), (1.0, 0.2))
        return [
            RP3BetaConfig(),
            *(RP3BetaConfig(alpha, beta) for alpha, beta in pairs),
            RP3BetaConfig(0.6, 0.4, normalise=True),
            RP3BetaConfig(neighbours=1600),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """Exponents, neighbours and normalisation."""
        return {
            "alpha": Range(0.1, 1.4),
            "beta": Range(0.0, 1.0),
            "neighbours": (100, 200, 400, 800, 1600),
            "normalise": (False, True),
            **recency_space(graph),
        }
