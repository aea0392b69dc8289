"""The settings of graph_filter."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphrec.errors import DataError


@dataclass(frozen=True)
class GraphFilterConfig:
    """Settings of graph_filter, in the symbols of docs/methods.md (graph_filter).

    user_exponent: b, how much the edges of active users are damped.
    item_exponent: e, how much the edges of popular items are damped.
    source_exponent: p, how much popular items of the history are damped.
    target_exponent: q, how much popular items are favoured as recommendations.
    degree_offset: c, added to the degree of every item before any exponent; the more, the less a rare item says.
    rank: k, leading eigenvectors that are used; 0 leaves the paths only.
    rank_share: the rank is at most this share of the number of users or of items, whichever is smaller.
    plateau: α, the response to an eigenvalue λ in [0, 1] is max(α − λ, 0).
    path_weight: w, the weight of the item-user-item and item-attribute-item paths.
    sharpening: s, how much of the paths that lead over a third item is taken off those that lead there directly.
    neighbours: how many items each item reaches by paths, the strongest; 0 keeps all.
    behaviour_weight: of each behaviour beside the target, which has 1.
    social_weight: of the mean behaviour of friends in a user's signal, for each social relation.
    attribute_weight: of each item-attribute relation in the kernel, where the behaviour has 1.
    user_attribute_weight: of the mean behaviour of the people who share an attribute value.
    item_relation_weight: of each item-item relation among the paths.
    half_life: days after which an event counts half; 0 never forgets.
    revisit: factor on the scores of items that a user met by other behaviours only, such as viewed and not bought.
    weights: weights of single relations in the place of those above, as `VIEWED=0.3 FRIEND=0.05`.
    """

    user_exponent: float = 0.35
    item_exponent: float = 0.5
    source_exponent: float = 0.5
    target_exponent: float = 0.5
    degree_offset: float = 0.0
    rank: int = 768
    rank_share: float = 0.125
    plateau: float = 1.2
    path_weight: float = 2.0
    neighbours: int = 100
    sharpening: float = 0.0
    behaviour_weight: float = 0.3
    social_weight: float = 0.02
    attribute_weight: float = 0.1
    user_attribute_weight: float = 0.02
    item_relation_weight: float = 0.1
    half_life: float = 0.0
    revisit: float = 1.0
    weights: str = ""

    def __post_init__(self) -> None:
        if self.rank < 0 or self.neighbours < 0 or not 0 <= self.rank_share <= 1:
            raise DataError("graph_filter: rank and neighbours must not be negative, rank_share lies between 0 and 1")
        scalars = (self.half_life, self.revisit, self.sharpening, self.degree_offset)
        if min(*scalars, *self.kind_weights().values()) < 0:
            raise DataError(
                "graph_filter: weights, sharpening, half_life, revisit and degree_offset must not be negative"
            )

    def kind_weights(self) -> Mapping[str, float]:
        """The weight of a relation by its kind."""
        return {
            "behaviour": self.behaviour_weight,
            "social": self.social_weight,
            "attribute": self.attribute_weight,
            "user_attribute": self.user_attribute_weight,
            "item_relation": self.item_relation_weight,
        }

    @property
    def is_symmetric(self) -> bool:
        """Whether the item side is symmetric, with degrees as they are: a hold-out that is not made as the test part is
        misjudges other exponents (docs/methods.md), and offsets too (benchmarks/RESULTS.md)."""
        return self.item_exponent == self.source_exponent == self.target_exponent and not self.degree_offset
