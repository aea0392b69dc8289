"""Random walks of three steps, user to item to user to item, that damp popular items."""

from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.sparse import row_normalised, scale, topk_gram, without_diagonal
from graphrec.models.base import Progress, Range, Space
from graphrec.models.item_weights import ItemWeightsModel


@dataclass(frozen=True)
class RP3BetaConfig:
    """Settings of rp3beta, in the symbols of docs/methods.md.

    alpha: α, the power of the probability of each step after the first.
    beta: β, how much popular items are damped.
    neighbours: how many items each item leads to, the most probable; 0 keeps all.
    normalise: whether the weights of the items that an item leads to sum to 1.
    """

    alpha: float = 0.6
    beta: float = 0.4
    neighbours: int = 400
    normalise: bool = False

    def __post_init__(self) -> None:
        if self.neighbours < 0:
            raise DataError("rp3beta: neighbours must not be negative")


class RP3Beta(ItemWeightsModel[RP3BetaConfig]):
    """W = (P_IU^{∘α} P_UI^{∘α}) D_I^{-β} with P_IU and P_UI the probabilities of a step from an item to one of its
    users and from a user to one of its items, D_I the item degrees, a power each entry's (Paudel et al., TiiS 2017).

    The first step, from the user, is left out because it divides all scores of a user by the same number; a walk does
    not return to the item that it left. Rows are cut to the most probable items, and normalised if asked for, as in
    the framework of Ferrari Dacrema et al. (2021).
    """

    config_class = RP3BetaConfig
    counts_co_users = True

    def fit(
        self,
        graph: HeteroGraph,  # noqa: ARG002  # every model has this signature
        interactions: Interactions,
        rng: np.random.Generator,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Multiply the two steps and keep the strongest."""
        c = self.config
        self.history = interactions.matrix()
        item_degree, user_degree = (
            np.maximum(degree, 1).astype(np.float64)  # a degree of zero must not divide
            for degree in (np.diff(self.history.tocsc().indptr), np.diff(self.history.indptr))
        )
        to_user = scale(self.history, columns=item_degree**-c.alpha)  # (P_IU^{∘α})ᵀ
        to_item = scale(self.history, rows=user_degree**-c.alpha, columns=item_degree**-c.beta)
        walks = topk_gram(to_user, to_item, c.neighbours, without_diagonal)
        self.weights = row_normalised(walks) if c.normalise else walks
        if progress is not None:
            progress(1, 1)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[RP3BetaConfig]:  # noqa: ARG003  # the same for every graph
        """Exponents that won on published data sets (docs/methods.md)."""
        pairs = ((0.8, 0.2), (0.7, 0.3), (0.4, 0.6), (0.4, 0.4), (1.0, 0.2))
        return [
            RP3BetaConfig(),
            *(RP3BetaConfig(alpha, beta) for alpha, beta in pairs),
            RP3BetaConfig(0.6, 0.4, normalise=True),
            RP3BetaConfig(neighbours=1600),
        ]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """Exponents, neighbours and normalisation."""
        return {
            "alpha": Range(0.1, 1.4),
            "beta": Range(0.0, 1.0),
            "neighbours": (100, 200, 400, 800, 1600),
            "normalise": (False, True),
        }
